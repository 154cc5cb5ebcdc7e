"""Local structure from scattering: training sets at cluster scale, networks, and their use on measured data."""
