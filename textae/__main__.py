"""`python -m textae` is `textae`."""

from textae.app.cli import main

if __name__ == "__main__":
    main()
