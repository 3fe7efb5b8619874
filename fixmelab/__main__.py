"""`python -m fixmelab` is `fixmelab`."""

from fixmelab.commands.main import main

if __name__ == "__main__":
    main()
