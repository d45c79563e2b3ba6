"""What the compiler is measured with. Each file is run alone; `workloads` has the networks."""
