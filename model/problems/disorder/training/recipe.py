"""What both recipes share: their network takes planes apart, and answers with the roots of both factors."""

from torch import Tensor, nn

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.training.recipes import Recipe


class FactoriserRecipe(Recipe[Batch]):
    """A recipe whose network is a `Factoriser`."""

    name_of_network = "factoriser"

    @staticmethod
    def answer(network: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        """√I_FF and √I_SRO, not negative."""
        form_factor, sro = network(batch.intensity, batch.live)
        return form_factor.clamp(min=0), sro.clamp(min=0)
