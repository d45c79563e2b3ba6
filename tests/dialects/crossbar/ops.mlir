// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 2), crossbar(rows = 4, columns = 4, fanin = "digital", max_delay = 2), buffers(events = 64), time(unit = "ns", read = 10)>} {
  // CHECK: crossbar.machine @net dt 0.001 steps 25 period 30 latency 91/2 predicted 20 peaks {x = 4 : i64, "both/b" = 1 : i64} peaks_in {sums = 0 : i64} attributes {note = "x"} {
  crossbar.machine @net dt 0.001 steps 25 period 30 latency 91/2 predicted 20 peaks {x = 4, "both/b" = 1} peaks_in {sums = 0} attributes {note = "x"} {
    // CHECK-NEXT: crossbar.input @x size 4
    crossbar.input @x size 4
    // CHECK-NEXT: crossbar.population @a size 2
    crossbar.population @a size 2
    // CHECK-NEXT: crossbar.population @"b 0" size 1 {note = "y"}
    crossbar.population @"b 0" size 1 {note = "y"}
    // CHECK-NEXT: crossbar.output @y of @"b 0"
    crossbar.output @y of @"b 0"
    // CHECK-NEXT: crossbar.output @z of @x
    crossbar.output @z of @x
    // CHECK-NEXT: crossbar.crossbar @c0 at [0, 0] crossbar 1 cells #snn.tensor<"c0.cells", 4x2xi8, [1, 2, 3, 4, 5, 6, 7, -8]> {
    crossbar.crossbar @c0 at [0, 0] crossbar 1 cells #snn.tensor<"c0.cells", 4x2xi8, [1, 2, 3, 4, 5, 6, 7, -8]> {
      // CHECK-NEXT: crossbar.axons @x[0:4]
      crossbar.axons @x[0:4]
      // CHECK-NEXT: crossbar.slice @sums partial @a[0:2] rows [0:4] column 0
      crossbar.slice @sums partial @a[0:2] rows [0:4] column 0
      // CHECK-NEXT: crossbar.order [@sums]
      crossbar.order [@sums]
      // CHECK-NEXT: }
    }
    // CHECK-NEXT: crossbar.crossbar @"c 1" at [1, 0] crossbar 0 cells #snn.tensor<"c1.cells", 3x3xf32, [{{[0-9., ]*}}]> attributes {note = "z"} {
    crossbar.crossbar @"c 1" at [1, 0] crossbar 0 cells #snn.tensor<"c1.cells", 3x3xf32, [0.5, 0, 0, 0, 0, 0, 0, 0, 1]> attributes {note = "z"} {
      // CHECK-NEXT: crossbar.axons @"b 0"[0] delay 2 {note = "w"}
      crossbar.axons @"b 0"[0] delay 2 {note = "w"}
      // CHECK-NEXT: crossbar.axons @a[1, 0]
      crossbar.axons @a[1, 0]
      // CHECK-NEXT: crossbar.slice @both neurons @a[0:2] rows [0] column 0 adds [@sums] lif(scale = #snn.tensor<"s", 2xf64, [0.5, 0.25]>, bias = -0.0, decay = 0.8, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir, reset = subtract>
      crossbar.slice @both neurons @a[0:2] rows [0] column 0 adds [@sums] lif(bias = -0.0, scale = #snn.tensor<"s", 2xf64, [0.5, 0.25]>, decay = 0.8, gain = 1.0, drift = 0, threshold = 0.5, v_reset = 0.0) using <nir, reset = subtract>
      // CHECK-NEXT: crossbar.slice @"both/b" neurons @"b 0"[0] rows [1:3] column 2 cuba_lif(scale = 1.0, bias = 0.0, decay = 0.8, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0, syn_decay = 0.5, syn_gain = 1.0e-300) using <nir> {note = "v"}
      crossbar.slice @"both/b" neurons @"b 0"[0] rows [1:3] column 2 adds [] cuba_lif(scale = 1.0, bias = 0.0, decay = 0.8, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0, syn_decay = 0.5, syn_gain = 1.0e-300) using <nir> {note = "v"}
      // CHECK-NEXT: crossbar.order [@both, @"both/b" stage 1] {note = "u"}
      crossbar.order [@both stage 0, @"both/b" stage 1] {note = "u"}
      // CHECK-NEXT: }
    }
    // CHECK-NEXT: crossbar.channel @"both/b" to @both delay 2 capacity 3
    crossbar.channel @"both/b" to @both delay 2 capacity 3
    // CHECK-NEXT: crossbar.channel @"both/b" to @y delay 0 capacity 2
    crossbar.channel @"both/b" to @y delay 0 capacity 2
    // CHECK-NEXT: crossbar.flow @x to tile [0, 0]
    crossbar.flow @x to tile [0, 0]
    // CHECK-NEXT: crossbar.flow @"both/b" to host, tile [1, 0] {note = "t"}
    crossbar.flow @"both/b" to host, tile [1, 0] {note = "t"}
    // CHECK-NEXT: }
  }
}

// -----

// A machine of nothing, and a crossbar of nothing.
// CHECK: crossbar.machine @none dt 0.001 {
crossbar.machine @none dt 0.001 {
  // CHECK-NEXT: crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 1x1xi8, [0]> {
  // CHECK-NEXT: }
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 1x1xi8, [0]> {
  }
  // CHECK-NEXT: }
}

// -----

// CHECK: crossbar.machine @m dt 0.001 {
crossbar.machine @m dt 0.001 {
// CHECK-NEXT: crossbar.input @x size 3
  crossbar.input @x size 3
// CHECK-NEXT: crossbar.population @p size 4
  crossbar.population @p size 4
// CHECK-NEXT: crossbar.output @y of @p
  crossbar.output @y of @p
// CHECK-NEXT: crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
// CHECK-NEXT: crossbar.axons @x[0:3] windowed
    crossbar.axons @x[0:3] windowed
// CHECK-NEXT: crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
// CHECK-NEXT: crossbar.order [@s]
    crossbar.order [@s]
// CHECK-NEXT: }
  }
// CHECK-NEXT: crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @x to @s delay 0 capacity 2
// CHECK-NEXT: crossbar.channel @s to @y delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
// CHECK-NEXT: crossbar.flow @x to tile [0, 0]
  crossbar.flow @x to tile [0, 0]
// CHECK-NEXT: crossbar.flow @s to host
  crossbar.flow @s to host
// CHECK-NEXT: }
}

// -----

// Codes in place of spikes.
// CHECK: crossbar.machine @m dt 0.001 {
crossbar.machine @m dt 0.001 {
// CHECK-NEXT: crossbar.input @x size 2 of i6 coded (step = 0.5, zero = -1.0)
  crossbar.input @x size 2 of i6 coded (step = 0.5, zero = -1.0)
// CHECK-NEXT: crossbar.population @p size 2 of si8 coded (step = #snn.tensor<"p.step", 2xf64, [0.5, 0.25]>)
  crossbar.population @p size 2 of si8 coded (step = #snn.tensor<"p.step", 2xf64, [0.5, 0.25]>)
// CHECK-NEXT: crossbar.output @y of @p
  crossbar.output @y of @p
// CHECK-NEXT: crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
// CHECK-NEXT: crossbar.axons @x[0:2]
    crossbar.axons @x[0:2]
// CHECK-NEXT: crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 clip(scale = 0.5, bias = 0.0, step = #snn.tensor<"s.step", 2xf64, [0.5, 0.25]>, zero = 0.0, least = -128.0, most = 127.0)
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = #snn.tensor<"s.step", 2xf64, [0.5, 0.25]>, zero = 0.0, least = -128.0, most = 127.0)
// CHECK-NEXT: crossbar.order [@s]
    crossbar.order [@s]
// CHECK-NEXT: }
  }
// CHECK-NEXT: crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @x to @s delay 0 capacity 2
// CHECK-NEXT: crossbar.channel @s to @y delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
// CHECK-NEXT: crossbar.flow @x to tile [0, 0]
  crossbar.flow @x to tile [0, 0]
// CHECK-NEXT: crossbar.flow @s to host
  crossbar.flow @s to host
// CHECK-NEXT: }
}

// -----

// What a crossbar takes of its delay memory.
// CHECK: crossbar.machine @late dt 0.001 {
crossbar.machine @late dt 0.001 {
  // CHECK-NEXT: crossbar.crossbar @c0 at [0, 0] crossbar 0 delays(entries = 5, bound = 6, observed = 4) cells #snn.tensor<"c0.cells", 1x1xi8, [0]> attributes {note = "a"} {
  crossbar.crossbar @c0 at [0, 0] crossbar 0 delays(bound = 6, observed = 4, entries = 5) cells #snn.tensor<"c0.cells", 1x1xi8, [0]> attributes {note = "a"} {
    // CHECK-NEXT: crossbar.axons @x[0] delay 3
    crossbar.axons @x[0] delay 3
  }
  // CHECK: crossbar.crossbar @c1 at [0, 0] crossbar 1 delays(entries = 6, bound = 6) cells #snn.tensor<"c1.cells", 1x1xi8, [0]> {
  crossbar.crossbar @c1 at [0, 0] crossbar 1 delays(entries = 6, bound = 6) cells #snn.tensor<"c1.cells", 1x1xi8, [0]> {
    crossbar.axons @x[0] delay 1
  }
  // CHECK: crossbar.input @x size 1
  crossbar.input @x size 1
}
