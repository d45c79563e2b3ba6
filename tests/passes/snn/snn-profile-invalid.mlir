// RUN: not snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz}" --split-input-file 2>&1 | filecheck %s
// RUN: not snn-opt %s -p "snn-profile{data=%S/inputs/absent.npz}" --split-input-file 2>&1 | filecheck %s --check-prefix=ABSENT
// RUN: not snn-opt %s -p "snn-profile{data=%s}" --split-input-file 2>&1 | filecheck %s --check-prefix=TEXT
// RUN: not snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz samples=0}" --split-input-file 2>&1 | filecheck %s --check-prefix=NONE

// CHECK:  error: data of shape (2, 4, 2) for 3 lines
// ABSENT: inputs/absent.npz: error: no such data file
// TEXT:   error: not a readable .npz file
// NONE:   inputs/steps.npz: error: 0 samples
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}
