// RUN: snn-opt %s -p "convert-ann-to-snn{data=%S/inputs/images.npz}" --split-input-file --verify-diagnostics | filecheck %s
// RUN: not snn-opt %S/convert-ann-to-snn.mlir -p "convert-ann-to-snn{data=%S/inputs/images.npz steps=0}" 2>&1 | filecheck %s --check-prefix=STEPS
// RUN: not snn-opt %S/convert-ann-to-snn.mlir -p "convert-ann-to-snn{data=%S/inputs/images.npz percentile=101}" 2>&1 | filecheck %s --check-prefix=SHARE
// RUN: not snn-opt %S/convert-ann-to-snn.mlir -p "convert-ann-to-snn{data=%S/inputs/images.npz spikes=0}" 2>&1 | filecheck %s --check-prefix=SPIKES
// RUN: not snn-opt %S/convert-ann-to-snn.mlir -p "convert-ann-to-snn{data=%S/inputs/images.npz spikes=2 reset=value}" 2>&1 | filecheck %s --check-prefix=RESET
// RUN: not snn-opt %S/convert-ann-to-snn.mlir -p "convert-ann-to-snn{data=%S/inputs/absent.npz}" 2>&1 | filecheck %s --check-prefix=ABSENT

// STEPS: error: 0 steps
// SHARE: error: percentile 101
// SPIKES: error: 0 spikes in a step
// RESET: error: several spikes in one step need reset = subtract
// ABSENT: inputs/absent.npz: error: no such data file

// CHECK: a max pool, and neurons add up
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %h = snn.relu @h(%x) : !snn.signal<1x2, f64>
    %m = snn.max_pool %h kernel [2] : !snn.signal<1x2, f64> -> !snn.signal<1x1, f64>
    %o = snn.relu @o(%m) : !snn.signal<1x1, f64>
    snn.output @y %o : !snn.signal<1x1, f64>
  }
}

// -----

// CHECK: @h: the rate of spikes rises like a relu or a clip, and this is a sigmoid
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %h = snn.sigmoid @h(%x) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: @x is coded already
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x coded (step = 0.5) : !snn.signal<1x2, i4>
    %c = snn.scale %x by 0.5 : !snn.signal<1x2, i4> -> !snn.signal<1x2, f64>
    %h = snn.relu @h(%c) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: @x brings spikes already
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, spike>
    %c = snn.scale %x by 0.5 : !snn.signal<1x2, spike> -> !snn.signal<1x2, f64>
    %h = snn.relu @h(%c) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: @v has a state already: integrator
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %h = snn.relu @h(%x) : !snn.signal<1x2, f64>
    %v = snn.integrator @v(%h) with (r = 1.0) using <nir> : !snn.signal<1x2, f64>
    snn.output @y %v : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: snn.delay delays its signal
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %d = snn.delay %x by 1 : !snn.signal<1x2, f64>
    %h = snn.relu @h(%d) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: snn.scale delays its signal
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %d = snn.scale %x by 0.5 delay 2 : !snn.signal<1x2, f64> -> !snn.signal<1x2, f64>
    %h = snn.relu @h(%d) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: output @z reads an input
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %h = snn.relu @h(%x) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
    snn.output @z %x : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: no population with an activation
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %d = snn.scale %x by 0.5 : !snn.signal<1x2, f64> -> !snn.signal<1x2, f64>
    snn.output @y %d : !snn.signal<1x2, f64>
  }
}

// -----

// CHECK: an inference of 4 steps
builtin.module {
  snn.network @toy dt 0.001 steps 4 {
    %x = snn.input @x : !snn.signal<1x2, f64>
    %h = snn.relu @h(%x) : !snn.signal<1x2, f64>
    snn.output @y %h : !snn.signal<1x2, f64>
  }
}
