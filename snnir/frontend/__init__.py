"""Front ends: files of models to the `snn` dialect."""
