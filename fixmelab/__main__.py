"""`python -m fixmelab` is `fixmelab`."""

from fixmelab.cli import main

if __name__ == "__main__":
    main()
