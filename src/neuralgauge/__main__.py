"""`python -m neuralgauge` is the `neuralgauge` command."""

from .cli import main

if __name__ == "__main__":
    main()
