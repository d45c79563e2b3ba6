// RUN: snn-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: error: no part 'tile' in a machine; did you mean 'tiles'?
"test.op"() {m = #platform.machine<"m", tile(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: no part 'area' in a machine; there are tiles, crossbar, buffers, link, time
"test.op"() {m = #platform.machine<"m", area(read = 1)>} : () -> ()

// -----

// CHECK: error: no entry 'row' in crossbar; did you mean 'rows'?
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(row = 1, columns = 1)>} : () -> ()

// -----

// CHECK: error: buffers.events is missing
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: 'tiles' is given twice
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), tiles(mesh = [2, 2], crossbars = 1)>} : () -> ()

// -----

// CHECK: error: 'crossbars' is given twice
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1, crossbars = 2)>} : () -> ()

// -----

// CHECK: error: tiles.mesh must be two whole numbers [x, y], not [1]
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1], crossbars = 1)>} : () -> ()

// -----

// CHECK: error: tiles.crossbars must be a whole number, not 1.5
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1.5)>} : () -> ()

// -----

// CHECK: error: time.unit must be a word in quotes, not 1
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = 1, read = 1)>} : () -> ()

// -----

// CHECK: error: crossbar.models must be a list of words, not []
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1, models = [])>} : () -> ()

// -----

// CHECK: error: tiles.mesh must be at least 1
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 0], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: crossbar.rows must be at least 1
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 0, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: time.columns_per_adc must be at least 1
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1, columns_per_adc = 0)>} : () -> ()

// -----

// CHECK: error: crossbar.max_delay must not be negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1, max_delay = -1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.hop_x must not be negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), link(hop_x = -1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: time.read must not be negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = -1)>} : () -> ()

// -----

// CHECK: error: tiles.host lies outside the mesh
"test.op"() {m = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1, host = [0, 1]), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: crossbar.weight_bits is 0 (no stated precision) or 2 to 32
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1, weight_bits = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: crossbar.fanin is 'magic'; use one of digital, relay, none
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1, fanin = "magic"), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.routes is 'broadcast'; use one of unicast, multicast
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, routes = "broadcast"), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.topology is 'ring'; use one of mesh, tree
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, topology = "ring"), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.mesh of a tree is {{.leaves, 1.}}
"test.op"() {m = #platform.machine<"m", tiles(mesh = [2, 2], crossbars = 1, topology = "tree", arity = 2), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.arity is at least 2 on a tree
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, topology = "tree", arity = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.arity belongs to a tree
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, arity = 2), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.chip belongs to a mesh
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, topology = "tree", arity = 2, chip = [2, 1]), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.mesh does not consist of whole chips of tiles.chip
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 4], crossbars = 1, chip = [2, 3]), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.mesh does not consist of whole chips of tiles.chip
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 4], crossbars = 1, chip = [2, 0]), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: tiles.table_entries must not be negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 4], crossbars = 1, table_entries = -1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.hop_x is for a mesh; all links of a tree take link.hop_y
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, topology = "tree", arity = 2), crossbar(rows = 1, columns = 1), buffers(events = 1), link(hop_x = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.chip_flit is for links between chips, and tiles.chip names none
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), link(chip_flit = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.energy_x is for a mesh; all links of a tree take link.energy_y
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, topology = "tree", arity = 2), crossbar(rows = 1, columns = 1), buffers(events = 1), link(energy_x = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.chip_hop is for links between chips, and tiles.chip names none
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), link(chip_hop = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.flit must be at least 1 where link.chip_flit is
"test.op"() {m = #platform.machine<"m", tiles(mesh = [4, 1], crossbars = 1, chip = [2, 1]), crossbar(rows = 1, columns = 1), buffers(events = 1), link(flit = 0, chip_flit = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: link.arbitration is 'priority'; use one of round-robin
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), link(arbitration = "priority"), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: time.unit is 'fs'; use one of s, ms, us, ns, ps
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "fs", read = 1)>} : () -> ()

// -----

// CHECK: error: crossbar.models 'izhikevich' is 'izhikevich'; use one of if, lif, cuba_lif
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1, models = ["if", "izhikevich"]), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: cluster.program: the module's attribute platform.machine is no #platform.machine
builtin.module attributes {platform.machine = "small"} {
  snn.network @n dt 0.001 {
  }
  cluster.program of @n {
  }
}

// -----

// CHECK: error: crossbar.signal_bits is 0 (spikes only) or 1 to 16
builtin.module attributes {platform.machine = #platform.machine<"x", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, signal_bits = 17), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: error: crossbar.cell_bits needs crossbar.weight_bits
builtin.module attributes {platform.machine = #platform.machine<"x", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, cell_bits = 2), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: error: crossbar.cell_bits is 0 (a cell holds a weight) or 1 to crossbar.weight_bits = 4
builtin.module attributes {platform.machine = #platform.machine<"x", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, weight_bits = 4, cell_bits = 5), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: error: crossbar.signs is 'both'; use one of cell, pair
builtin.module attributes {platform.machine = #platform.machine<"x", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, signs = "both"), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: error: crossbar.columns are fewer than the 32 columns of one weight
builtin.module attributes {platform.machine = #platform.machine<"x", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, weight_bits = 17, cell_bits = 1, signs = "pair"), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: error: crossbar.signal_bits must not be negative
builtin.module attributes {platform.machine = #platform.machine<"x", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 32, columns = 16, signal_bits = -1), buffers(events = 256), time(unit = "ns", read = 10)>} {
}

// -----

// CHECK: error: device.r_off is missing
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000)>} : () -> ()

// -----

// CHECK: error: no entry 'wires' in device; did you mean 'wire'?
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000, wires = 1)>} : () -> ()

// -----

// CHECK: error: device.wire must be a number, not 'x'
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000, wire = "x")>} : () -> ()

// -----

// CHECK: error: device.levels must be a whole number, not 2.5
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 2.5, r_on = 1000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: device.levels is 8, but a cell that holds 4 bits needs 16
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 8, r_on = 1000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: device.levels is 16, but a cell that holds 7 bits needs 128
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: device.r_on must be above 0 and below device.r_off
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 20000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: device.read_noise must not be negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000, read_noise = -0.1)>} : () -> ()

// -----

// CHECK: error: device.stuck_on and device.stuck_off are shares of all cells
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000, stuck_on = 0.6, stuck_off = 0.5)>} : () -> ()

// -----

// CHECK: error: crossbar.signs must be "pair" where there is a device: no conductance is negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: crossbar.weight_bits must be stated where there is a device
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, signs = "pair"), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: crossbar.adc_bits needs a table device
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair", adc_bits = 8), buffers(events = 1), time(unit = "ns", read = 1)>} : () -> ()

// -----

// CHECK: error: crossbar.adc_bits is 0 (exact) or 1 to 16
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 16, weight_bits = 8, cell_bits = 4, signs = "pair", adc_bits = 17), buffers(events = 1), time(unit = "ns", read = 1), device(levels = 16, r_on = 1000, r_off = 20000)>} : () -> ()

// -----

// CHECK: error: no entry 'synapses' in energy; did you mean 'synapse'?
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1), energy(synapses = 1)>} : () -> ()

// -----

// CHECK: error: energy.synapse must be a whole number, not 23.6
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1), energy(synapse = 23.6)>} : () -> ()

// -----

// CHECK: error: energy.idle must not be negative
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1), energy(update = 1, idle = -1)>} : () -> ()

// -----

// CHECK: error: energy.delay is for a delay memory, and there is no table delays
"test.op"() {m = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 1, columns = 1), buffers(events = 1), time(unit = "ns", read = 1), energy(delay = 18)>} : () -> ()
