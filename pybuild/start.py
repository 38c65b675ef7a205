"""Where `launcher.sh` begins: Python without `site`, and as first arguments the folder of packages
and the name that the launcher was called by.

Only that folder and our own are looked into until the short way has answered; if it cannot,
`cli.main` brings in everything else before anything of the user's is looked at.
"""

import sys

ROOT = __file__.removesuffix("/pybuild/start.py")
PACKAGES = sys.argv.pop(1)
UNREADY = tuple(dict.fromkeys([ROOT, PACKAGES]))

sys.argv[0] = sys.argv.pop(1)
sys.path[0:1] = UNREADY

from pybuild.cli.main import main  # noqa: E402

main(unready=UNREADY)
