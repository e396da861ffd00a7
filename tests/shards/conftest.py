import pytest


@pytest.fixture(scope="session")
def client():
    """Two workers in threads of this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0") as made:
        yield made
