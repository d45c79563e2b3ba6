// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// What is left out is written out.
// CHECK: builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 3], crossbars = 1, host = [0, 0]), crossbar(rows = 32, columns = 16, weight_bits = 0, fanin = "none", models = ["if", "lif", "cuba_lif"], max_delay = 0), buffers(events = 256), link(arbitration = "round-robin", flit = 1, hop_x = 0, hop_y = 0), time(unit = "ns", read = 10, event = 0, convert = 0, columns_per_adc = 1, add = 0, update = 0, spike = 0)>} {
builtin.module attributes {platform.machine = #platform.machine<"small", time(unit = "ns", read = 10), tiles(mesh = [2, 3], crossbars = 1), crossbar(columns = 16, rows = 32), buffers(events = 256)>} {
}

// -----

// CHECK: builtin.module attributes {platform.machine = #platform.machine<"a \22large\22 one, \C3\A9tage 2", tiles(mesh = [4, 1], crossbars = 4, host = [3, 0]), crossbar(rows = 128, columns = 64, weight_bits = 8, fanin = "digital", models = ["lif"], max_delay = 62), buffers(events = 1), link(arbitration = "round-robin", flit = 2100, hop_x = 4100, hop_y = 6500), time(unit = "ps", read = 10000, event = 16000, convert = 7800, columns_per_adc = 8, add = 1000, update = 10000, spike = 30000)>} {
builtin.module attributes {platform.machine = #platform.machine<"a \22large\22 one, étage 2", tiles(mesh = [4, 1], crossbars = 4, host = [3, 0]), crossbar(rows = 128, columns = 64, weight_bits = 8, fanin = "digital", models = ["lif"], max_delay = 62), buffers(events = 1), link(arbitration = "round-robin", flit = 2100, hop_x = 4100, hop_y = 6500), time(unit = "ps", read = 10000, event = 16000, convert = 7800, columns_per_adc = 8, add = 1000, update = 10000, spike = 30000)>} {
}
