"""One module for each system: `prepare(data)` returns the call that is timed, see worker.py."""
