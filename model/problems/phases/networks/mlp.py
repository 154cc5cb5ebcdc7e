"""The published perceptrons: every intensity to 100 units, and these to every voxel."""

from torch import Tensor, nn


class GridPerceptron(nn.Module):
    """n³ → hidden → n³ with ReLU between: 1.6 million weights at n = 20, .2 million at n = 10.

    The text speaks of "100 hidden layers"; 100 units in one hidden layer are the default of the program that it names.
    """

    def __init__(self, n: int, hidden: int = 100) -> None:
        super().__init__()
        if n < 2 or hidden < 1:
            raise ValueError(f"n = {n}, hidden = {hidden}: expected 2 or more, and 1 or more")
        self.n = n
        self.layers = nn.Sequential(nn.Linear(n**3, hidden), nn.ReLU(), nn.Linear(hidden, n**3))

    def forward(self, given: Tensor) -> Tensor:
        """(samples, n, n, n) of intensities to as many voxels."""
        answer: Tensor = self.layers(given.flatten(1))
        return answer.reshape(given.shape)


def mlp10(hidden: int = 100) -> GridPerceptron:
    """For grids of 10³."""
    return GridPerceptron(10, hidden)


def mlp20(hidden: int = 100) -> GridPerceptron:
    """For grids of 20³."""
    return GridPerceptron(20, hidden)
