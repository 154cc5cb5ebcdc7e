import numpy as np
from scipy.spatial.distance import cdist, pdist

from dsfu.simulate.particles.distances import distances_between, pair_distances


def test_distances_are_those_of_scipy_far_from_the_origin_too():
    rng = np.random.default_rng(3)
    some, others = rng.normal(size=(40, 3)) * 4 + 50, rng.normal(size=(60, 3)) * 4 + 50
    others[7] = some[5]
    assert np.abs(distances_between(some, others) - cdist(some, others)).max() < 1e-6
    assert distances_between(some, others)[5, 7] == 0
    assert np.abs(pair_distances(some) - pdist(some)).max() < 1e-12
