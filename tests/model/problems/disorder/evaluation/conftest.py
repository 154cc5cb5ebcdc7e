import pytest

from dsfu.model.problems.disorder.evaluation.evaluate import open_planes
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes, PlaneSettings
from tests.model.problems.disorder.evaluation.stores import small_store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_store(tmp_path_factory.mktemp("evaluation") / "store")


@pytest.fixture(scope="session")
def train(store: str) -> EvaluationPlanes:
    return open_planes(store, "train", PlaneSettings())
