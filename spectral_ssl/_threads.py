"""Serves metrics and the eigensolvers: no more threads than pay."""

from threadpoolctl import threadpool_limits

# Matrices of so many entries are worth threads; in the many small steps of an iteration on
# smaller ones threads wait, for each other and for PyTorch's, longer than they work.
_WORTH_THREADS = 10_000_000


def threads_that_pay(n_entries):
    """Context in which numpy's and scipy's BLAS has one thread if matrices are small."""
    return threadpool_limits(None if n_entries > _WORTH_THREADS else 1, user_api="blas")
