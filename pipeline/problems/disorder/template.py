"""The manifest that ``dsfu-pipeline init`` writes: small enough to try, and complete enough to grow."""

from typing import Final

TEMPLATE: Final = """\
# A data set of diffuse scattering. See what it asks for with `dsfu-pipeline plan`, make it with `dsfu-pipeline run`.
# As it stands it is small, and made in about a minute; the values of a full-sized data set are in brackets.
version: 1
name: my-data-set
seed: 1                    # all random numbers derive from it
store: stores/my-data-set  # a folder or a URL (s3://…), unless --store says otherwise

species:
  library: true            # the 127 species that come with dsfu: see `dsfu-pipeline species`
  own: []                  # yours: - {name: mine, file: mine.cif, group: 2, split: train}

pairs:                     # of species of one shape group, 0 to 4; null for a split without any
  train: {groups: [0, 1, 2, 3, 4], per_group: 3}      # [without per_group: every pair]
  validation: {groups: [0, 1, 2, 3], per_group: 1}    # their species are in no training pair

sro:                       # short-range order: sets of Warren–Cowley parameters
  monte_carlo:             # from Metropolis simulations, kept in a bank that every pair draws from
    bank_size: 24          # [12000]
    per_pair: {train: 3, validation: 3}               # [12 and 12]
    fraction_a: [0.02, 0.54]                          # range of the mole fraction
    targets: [-0.6, 0.6]   # of α_100, α_010 and α_001, as far as they are feasible together
    box: 32                # sites along each edge, an even number [64]
    equilibrium: false     # true: sets near or beyond an ordering transition are drawn again
  oscillator:              # α_x = A exp(−d x) cos(ω x) in the plane normal to b
    per_pair: {train: 3, validation: 0}               # [14 and 0]
    amplitude: [0.6, 1.5]
    decay: [0.2, 1.2]
    frequency: [1.0, 2.0]
    most_clipped: 0.3      # sets whose I_SRO is negative on more of the zone are drawn again

planes:
  pixels: 256
  q_max: [6.0, 8.0]        # range of half the side of a plane, in 1/Å
  monte_carlo: {layers_per_axis: 4, displaced_below: -0.05}
  oscillator: {layers: [0, 1, 2, 3]}

dead_zones:                # what a detector does not see
  bank_size: 64            # [1024; 0 for none]
  live_fraction: [0.45, 0.95]

uniqueness:                # planes that repeat others are marked, and not used
  scope: pair              # or: store, none
  metric: appearance       # or: sliced_wasserstein
  threshold: null          # the one calibrated for the metric

storage:
  materialise: true        # false: parameters only; planes are computed when they are read
"""
