// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=4}" --split-input-file --verify-diagnostics | filecheck %s
// RUN: not snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz}" --split-input-file 2>&1 | filecheck %s --check-prefix=NONE
// RUN: not snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=17}" --split-input-file 2>&1 | filecheck %s --check-prefix=WIDE
// RUN: not snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=4 output_bits=1}" --split-input-file 2>&1 | filecheck %s --check-prefix=ENDS
// RUN: not snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=4 percentile=0.0}" --split-input-file 2>&1 | filecheck %s --check-prefix=PERCENT

// NONE:    error: no precision for signals
// NONE:    fix: give bits=6, or a machine with crossbar.signal_bits
// WIDE:    error: 17 bits
// ENDS:    error: outputs of 1 bits
// PERCENT: error: percentile 0
// CHECK: @h is a tanh, and codes are made of relu and clip

builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %h = snn.tanh @h(%x) : !snn.signal<2, f64>
    snn.output @y %h : !snn.signal<2, f64>
  }
}

// -----

// CHECK: populations read each other in a circle
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %back = snn.scale %h by 0.5 delay 1 : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %h = snn.relu @h(%x, %back) : !snn.signal<2, f64>
    snn.output @y %h : !snn.signal<2, f64>
  }
}

// -----

// CHECK: output @y reads no single population
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %h = snn.relu @h(%x) : !snn.signal<2, f64>
    %s = snn.add %x, %h : !snn.signal<2, f64>
    snn.output @y %s : !snn.signal<2, f64>
  }
}

// -----

// CHECK: the data has no array 'other'
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @other : !snn.signal<2, f64>
    snn.output @y %x : !snn.signal<2, f64>
  }
}
