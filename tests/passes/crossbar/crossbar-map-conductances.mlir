// RUN: snn-opt %s -p crossbar-map-conductances --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p crossbar-map-conductances,crossbar-map-conductances --split-input-file --verify-diagnostics | filecheck %s

// Weights of 4 bits on cells of 2: two digits, plus and minus each. 5 is 1 + 4 * 1, -3 is -(3 + 4 * 0), -7 is -(3 + 4 * 1).
// CHECK: crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [5, -3, 0, -7]> attributes {levels = #snn.tensor<"c0.levels", 2x8xi8, [1, 0, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1]>} {
builtin.module attributes {platform.machine = #platform.machine<"pairs", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 2, columns = 8, weight_bits = 4, cell_bits = 2, signs = "pair"), buffers(events = 64), time(unit = "ns", read = 10)>} {
  crossbar.machine @echo dt 0.001 {
    crossbar.input @pixels size 2
    crossbar.population @copy size 2
    crossbar.output @label of @copy
    crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [5, -3, 0, -7]> {
      crossbar.axons @pixels[0:2]
      crossbar.slice @c0.copy neurons @copy[0:2] rows [0:2] column 0 adds [] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
      crossbar.order [@c0.copy]
    }
    crossbar.channel @pixels to @c0.copy delay 0 capacity 2
    crossbar.channel @c0.copy to @label delay 0 capacity 2
    crossbar.flow @pixels to tile [0, 0]
    crossbar.flow @c0.copy to host
  }
}

// -----

// A whole weight in a cell of 3 bits: -8 has no cell.
// CHECK: a weight of 8 does not fit 1 cells of 3 bits
builtin.module attributes {platform.machine = #platform.machine<"pairs", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 2, columns = 4, weight_bits = 4, signs = "pair"), buffers(events = 64), time(unit = "ns", read = 10)>} {
  crossbar.machine @echo dt 0.001 {
    crossbar.input @pixels size 2
    crossbar.population @copy size 2
    crossbar.output @label of @copy
    crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [5, -8, 0, -7]> {
      crossbar.axons @pixels[0:2]
      crossbar.slice @c0.copy neurons @copy[0:2] rows [0:2] column 0 adds [] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
      crossbar.order [@c0.copy]
    }
    crossbar.channel @pixels to @c0.copy delay 0 capacity 2
    crossbar.channel @c0.copy to @label delay 0 capacity 2
    crossbar.flow @pixels to tile [0, 0]
    crossbar.flow @c0.copy to host
  }
}

// -----

// CHECK: on 'signed' the weights are not held by pairs of cells
builtin.module attributes {platform.machine = #platform.machine<"signed", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 2, columns = 4, weight_bits = 4), buffers(events = 64), time(unit = "ns", read = 10)>} {
  crossbar.machine @echo dt 0.001 {
  }
}
