"""Exit codes of the commands."""

DONE, GAP_NOT_REACHED, REFUSED = 0, 1, 2
INTERRUPTED, CLOSED_PIPE, TERMINATED = 130, 141, 143  # as shells number the ends by SIGINT, SIGPIPE and SIGTERM
