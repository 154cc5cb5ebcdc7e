"""The manifest that ``dsfu-pipeline init --problem phases`` writes."""

from typing import Final

TEMPLATE: Final = """\
# A data set of the phase problem: |F| on a grid of hkl, and the density of the cell that is sought.
# 12 000 crystals, made in seconds: structures are stored, and grids are computed when they are read.
version: 1
problem: phases
name: my-phases
seed: 1                    # all random numbers derive from it
store: stores/my-phases    # a folder or a URL (s3://…), unless --store says otherwise

samples: {train: 10000, validation: 1000, test: 1000}

crystals:
  source: random           # or symmetric, molecules, table (file: crystals.csv, column: cif), prototypes
  atoms: [2, 16]           # in a cell
  elements: [6, 8, 14, 22, 26, 40, 56]
  # space_groups: [P -1, P n m a]   # of symmetric and molecules; by default common ones

grid:
  n: 20                    # indices along each axis, and voxels
  form: Z                  # points of Z electrons; IT92: form factors and displacements
  grid: centred            # −n/2 … n/2−1; octant: 0 … n−1, as in the published data set
  sigma: 1.0               # width of the atoms sought, in voxels
  sharpness: 0.0           # width of the atoms that the amplitudes are of
  d_min: 0.0               # Å; reflections of smaller d are not known
  completeness: 1.0        # share of the reflections that is known
  noise: 0.0               # relative standard deviation of |F|

storage:
  grids: false             # true: store amplitudes and densities, 2 × 32 KB a crystal at n = 20
"""
