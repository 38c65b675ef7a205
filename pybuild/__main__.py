"""`python -m pybuild` is the console script `pybuild`."""

from pybuild.cli.main import main

if __name__ == "__main__":
    main()
