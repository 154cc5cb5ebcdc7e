"""The manifest that ``dsfu-pipeline init --problem particles`` writes: the published data set."""

from typing import Final

TEMPLATE: Final = """\
# Pair distribution functions of metal nanoparticles: the published data set, whole (Digital Discovery 2, 2023).
# See what it asks for with `dsfu-pipeline plan`, make it with `dsfu-pipeline run`: 3743 samples, some seconds.
version: 1
problem: particles
name: particles
seed: 37                        # all random numbers derive from it
store: stores/particles         # a folder or a URL (s3://...), unless --store says otherwise

shapes:
  collections: [published]      # also: thousand, faults, extended_faults
  bond_lengths: null            # in angstrom; null: the 19 of the published data set
  copies: 1                     # samples of each shape at each bond length
split:
  by: random                    # as published, so every shape is in all splits; or shape, or size
  validation: 0.2
  test: 0.2
experiment: {q_min: 0.7, q_max: 25.0, q_damp: 0.0, r_step: 0.01, points: 3000}
drawn:                          # between two ends, for each sample
  b_iso: [0.3, 0.3]             # angstrom^2
  noise: [0.0, 0.0]             # standard deviation over the maximum of G
  baseline: [0.0, 0.0]          # largest value over the maximum of G
"""
