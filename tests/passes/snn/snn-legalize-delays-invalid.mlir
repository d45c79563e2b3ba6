// RUN: snn-opt %s -p "snn-legalize-delays{longest=0}" --split-input-file --verify-diagnostics | filecheck %s

// CHECK: the cycle @h -> @h, and rows do not delay: relays are late, but a cycle needs a row that is
builtin.module {
  snn.network @feedback dt 0.001 {
    %x = snn.input @x : !snn.signal<1, spike>
    %a = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %b = snn.scale %h by 0.5 delay 2 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 0.5, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// CHECK: @many sends up to 255 spikes in a step, which are read later than rows delay; a relay repeats one
builtin.module {
  snn.network @counts dt 0.001 {
    %x = snn.input @x : !snn.signal<1, spike>
    %a = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %many = snn.if @many(%a) with (r = 1.0, threshold = 0.5, v_reset = 0.0) using <nir, reset = subtract, spikes = 255> : !snn.signal<1, spike>
    %b = snn.scale %many by 1.0 delay 1 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%b) with (r = 1.0, threshold = 0.5, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// CHECK: @q sends codes, which are read later than rows delay; relays repeat spikes
builtin.module {
  snn.network @codes dt 0.001 {
    %q = snn.input @q coded (step = 0.0625) : !snn.signal<1, i4>
    %a = snn.scale %q by 1.0 delay 1 : !snn.signal<1, i4> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 0.5, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// CHECK: @x sends several spikes in a step, which are read later than rows delay; a relay repeats one
builtin.module {
  snn.network @repeats dt 0.001 {
    %x = snn.input @x activity <2 steps, 4 spikes, peak 3, #snn.tensor<"x.counts", 1xi64, [4]>> : !snn.signal<1, spike>
    %a = snn.scale %x by 1.0 delay 1 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 0.5, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
