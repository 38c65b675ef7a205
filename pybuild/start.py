"""Where `launcher.sh` begins: Python without `site`, and as first argument the folder of packages.

Only these two folders are looked into until the short way has answered; if it cannot, `cli.main`
brings in everything else before anything of the user's is looked at.
"""

import sys

ROOT = __file__.removesuffix("/pybuild/start.py")
PACKAGES = sys.argv.pop(1)

sys.argv[0] = "pybuild"
sys.path[0:1] = dict.fromkeys([ROOT, PACKAGES])

from pybuild.cli.main import main  # noqa: E402

main(unready=(ROOT, PACKAGES))
