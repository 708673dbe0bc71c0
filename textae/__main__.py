"""`python -m textae` is `textae`."""

from textae.app.signals import handle, leave_at_once


def main() -> None:
    """Run the command line; a signal during the imports, or after all is done, has nothing to clean up."""
    handle(leave_at_once)
    from textae.app.cli import main

    main()


if __name__ == "__main__":
    main()
