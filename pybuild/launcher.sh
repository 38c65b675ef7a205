#!/bin/sh
# Starts pybuild in the virtual environment that this file is installed in, without what Python looks
# for at every start: with nothing to do, that would take longer than all the rest. Where it does not
# know its way, the plain script beside it does.
here=$0
case $here in */*) ;; *) here=$(command -v -- "$here") ;; esac
while [ -L "$here" ]; do
    link=$(readlink -- "$here")
    case $link in /*) here=$link ;; *) here=${here%/*}/$link ;; esac
done
bin=${here%/*}
if [ -f "$bin/../pyvenv.cfg" ] && [ -x "$bin/python3" ]; then
    for packages in "$bin"/../lib/python3*/site-packages; do
        root=$packages
        if [ -f "$packages/_editable_impl_pybuild.pth" ]; then
            IFS= read -r root <"$packages/_editable_impl_pybuild.pth" || :
        fi
        if [ -f "$root/pybuild/start.py" ]; then
            exec "$bin/python3" -S "$root/pybuild/start.py" "$packages" "$0" "$@"
        fi
    done
fi
PYBUILD_CALLED=$0 exec "$bin/pybuild-python" "$@"
