// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// What is left out is written out.
// CHECK: builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 3], crossbars = 1, host = [0, 0], topology = "mesh", arity = 0, chip = [0, 0], table_entries = 0, routes = "unicast"), crossbar(rows = 32, columns = 16, weight_bits = 0, fanin = "none", models = ["if", "lif", "cuba_lif"], max_delay = 0, neurons = 0), buffers(events = 256), link(arbitration = "round-robin", flit = 1, hop_x = 0, hop_y = 0, chip_flit = 0, chip_hop = 0, energy_x = 0, energy_y = 0), time(unit = "ns", read = 10, event = 0, convert = 0, columns_per_adc = 1, add = 0, update = 0, spike = 0)>} {
builtin.module attributes {platform.machine = #platform.machine<"small", time(unit = "ns", read = 10), tiles(mesh = [2, 3], crossbars = 1), crossbar(columns = 16, rows = 32), buffers(events = 256)>} {
}

// -----

// CHECK: builtin.module attributes {platform.machine = #platform.machine<"a \22large\22 one, \C3\A9tage 2", tiles(mesh = [4, 1], crossbars = 4, host = [3, 0], topology = "mesh", arity = 0, chip = [0, 0], table_entries = 0, routes = "unicast"), crossbar(rows = 128, columns = 64, weight_bits = 8, fanin = "digital", models = ["lif"], max_delay = 62, neurons = 0), buffers(events = 1), link(arbitration = "round-robin", flit = 2100, hop_x = 4100, hop_y = 6500, chip_flit = 0, chip_hop = 0, energy_x = 0, energy_y = 0), time(unit = "ps", read = 10000, event = 16000, convert = 7800, columns_per_adc = 8, add = 1000, update = 10000, spike = 30000)>} {
builtin.module attributes {platform.machine = #platform.machine<"a \22large\22 one, étage 2", tiles(mesh = [4, 1], crossbars = 4, host = [3, 0]), crossbar(rows = 128, columns = 64, weight_bits = 8, fanin = "digital", models = ["lif"], max_delay = 62), buffers(events = 1), link(arbitration = "round-robin", flit = 2100, hop_x = 4100, hop_y = 6500), time(unit = "ps", read = 10000, event = 16000, convert = 7800, columns_per_adc = 8, add = 1000, update = 10000, spike = 30000)>} {
}

// -----

// CHECK: #platform.machine<"chips", tiles(mesh = [4, 6], crossbars = 2, host = [0, 0], topology = "mesh", arity = 0, chip = [2, 3], table_entries = 9, routes = "multicast"), {{.*}}, link(arbitration = "round-robin", flit = 2, hop_x = 0, hop_y = 0, chip_flit = 40, chip_hop = 7, energy_x = 0, energy_y = 0), {{.*}}>
builtin.module attributes {platform.machine = #platform.machine<"chips", tiles(mesh = [4, 6], crossbars = 2, chip = [2, 3], table_entries = 9, routes = "multicast"), crossbar(rows = 32, columns = 16), buffers(events = 256), link(flit = 2, chip_flit = 40, chip_hop = 7), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: #platform.machine<"tree", tiles(mesh = [9, 1], crossbars = 1, host = [8, 0], topology = "tree", arity = 3, chip = [0, 0], table_entries = 0, routes = "unicast"), {{.*}}>
builtin.module attributes {platform.machine = #platform.machine<"tree", tiles(mesh = [9, 1], crossbars = 1, host = [8, 0], topology = "tree", arity = 3), crossbar(rows = 32, columns = 16), buffers(events = 256), link(hop_y = 3), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: crossbar(rows = 32, columns = 16, weight_bits = 8, fanin = "none", models = ["if", "relu", "clip"], max_delay = 0, neurons = 0, signal_bits = 6, cell_bits = 2, signs = "pair"), buffers
builtin.module attributes {platform.machine = #platform.machine<"codes", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, weight_bits = 8, models = ["if", "relu", "clip"], signal_bits = 6, cell_bits = 2, signs = "pair"), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// A device is written out in full where there is one; a whole number becomes a decimal one.
// CHECK: #platform.machine<"cells", {{.*}}, crossbar(rows = 32, columns = 16, weight_bits = 8, {{.*}}, cell_bits = 4, signs = "pair", adc_bits = 6), {{.*}}, device(levels = 16, r_on = 10000.0, r_off = 1000000.0, variation = 1.0e-05, stuck_on = 0.0, stuck_off = 0.001, read_noise = 0.0, wire = 2.82)>
builtin.module attributes {platform.machine = #platform.machine<"cells", tiles(mesh = [2, 2], crossbars = 2), crossbar(rows = 32, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair", adc_bits = 6), buffers(events = 256), time(unit = "ns", read = 10), device(levels = 16, r_on = 10000, r_off = 1.0e6, variation = 1.0e-5, stuck_off = 0.001, wire = 2.82)>} {
}

// -----

// What energies are not stated are 0, and written out, where any is.
// CHECK: #platform.machine<"joule", {{.*}}, time({{.*}}), delays(memory = "fifo", entries = 0, bits = 0), energy(synapse = 23600, event = 0, read = 0, convert = 0, add = 0, update = 81000, idle = 52000, spike = 0, delay = 18, static = 815500)>
builtin.module attributes {platform.machine = #platform.machine<"joule", energy(synapse = 23600, static = 815500, idle = 52000, update = 81000, delay = 18), tiles(mesh = [2, 2], crossbars = 2), crossbar(rows = 32, columns = 16), buffers(events = 256), time(unit = "ns", read = 10), delays(memory = "fifo")>} {
}
