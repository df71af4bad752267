"""A Python kernel that may use so many GiB of memory and no more.

    python tools/limited_kernel.py GIB -f CONNECTION_FILE
"""

import resource
import sys

from ipykernel.kernelapp import launch_new_instance

if __name__ == "__main__":
    limit = int(float(sys.argv.pop(1)) * 2**30)
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE):
        hard = resource.getrlimit(kind)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        try:
            resource.setrlimit(kind, (allowed, allowed))
        except (OSError, ValueError):
            print("This system does not limit memory.", file=sys.stderr)
    launch_new_instance()
