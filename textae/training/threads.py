"""Threads that share the cores with other programs.

A thread that waits for others should give its core away. OpenMP's threads spin instead, unless `OMP_WAIT_POLICY`
is `PASSIVE` when the library is loaded (`textae.training` sets it). OpenBLAS's threads always spin for a while after
each product. On two busy cores, learning the 1,033 abstracts of Med took 50 s of CPU with both, and takes 14 without.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let numpy and scipy multiply on one thread; torch keeps its threads. Also a decorator."""
    import scipy.linalg  # noqa: F401  # it loads a BLAS of its own, and only what is loaded is limited
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    with threadpool_limits(1, "blas"):
        yield
