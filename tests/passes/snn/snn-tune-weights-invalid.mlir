// RUN: not snn-opt %s -p "snn-tune-weights{data=%S/inputs/values.npz}" --split-input-file 2>&1 | filecheck %s
// RUN: not snn-opt %s -p "snn-tune-weights{data=%S/inputs/values.npz bits=1}" --split-input-file 2>&1 | filecheck %s --check-prefix=FEW
// RUN: not snn-opt %s -p "snn-tune-weights{data=%S/inputs/values.npz bits=4 ste=-1}" --split-input-file 2>&1 | filecheck %s --check-prefix=STE
// RUN: not snn-opt %s -p "snn-tune-weights{data=%S/inputs/absent.npz bits=4}" --split-input-file 2>&1 | filecheck %s --check-prefix=ABSENT

// CHECK:  error: no precision to tune to
// CHECK:  fix: give bits=8, or a machine with --platform
// FEW:    error: 1 bits
// STE:    error: -1 steps of gradient descent
// ABSENT: inputs/absent.npz: error: no such data file
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %a = snn.scale %x by 0.5 : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %h = snn.relu @h(%a) : !snn.signal<2, f64>
    snn.output @y %h : !snn.signal<2, f64>
  }
}
