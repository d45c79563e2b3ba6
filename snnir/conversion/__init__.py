"""From ordinary networks to spiking ones: how far activations reach, and values as trains of spikes. No IR here."""
