"""How many bits each layer needs: the cheapest for a loss budget, greedily.

The noise of layers is taken to add up: the noise-to-signal ratio at the output is at most the sum of those that each
layer would make alone (AdaQuant, arXiv 2006.10518, allocates by such a sum with an integer programme). The layer whose
noise falls most for each bit that is added gets the next one, until the sum is within the budget.
"""

from collections.abc import Sequence


def allocate(noise: Sequence[Sequence[float]], costs: Sequence[int], budget: float) -> list[int]:
    """For each layer the number of the choice that it takes.

    `noise[l][c]`: the noise-to-signal ratio of layer l alone with choice c, each choice a bit more than the one before;
    `costs[l]`: what a bit more costs there, its weights; `budget`: the largest sum of ratios. Layers start with their
    first choice; where the budget cannot be met, all that lowers the sum is taken.
    """
    chosen = [0] * len(noise)
    while sum(each[c] for each, c in zip(noise, chosen, strict=True)) > budget:
        gains = [
            ((each[c] - each[c + 1]) / costs[layer], -layer)
            for layer, (each, c) in enumerate(zip(noise, chosen, strict=True))
            if c + 1 < len(each)
        ]
        if not gains or max(gains)[0] <= 0:
            break
        chosen[-max(gains)[1]] += 1
    return chosen
