"""A crew on a Dask cluster."""
