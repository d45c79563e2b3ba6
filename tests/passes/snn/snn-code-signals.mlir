// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=3 percentile=100}" | filecheck %s
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=3 percentile=100}" --statistics 2>&1 | filecheck %s --check-prefix=COUNT
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=3 signed=pair}" | filecheck %s --check-prefix=PAIR
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=2 lines=2 percentile=100 output_bits=8}" | filecheck %s --check-prefix=LINES
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=3},snn-code-signals{data=%S/inputs/absent.npz}" | filecheck %s --check-prefix=AGAIN
// @x has values of both 0 and 1 on a grid of eighths, which three bits cannot hold; @z has both signs, so a zero point.
// CHECK: %x = snn.input @x coded (step = 0.14285714285714285) : !snn.signal<2, i3>
// CHECK: %z = snn.input @z coded (step = 0.2857142857142857, zero = -1.1428571428571428) : !snn.signal<2, i3>
// CHECK: snn.dense %x weights #snn.tensor<"a", 2x2xf32, [0.14285715, 0.0, 0.0, 0.2857143]> bias #snn.tensor<"a.bias", 2xf32, [0.0, -0.5]>
// CHECK: snn.scale %z by 0.14285714285714285 bias #snn.tensor<"weight.bias", 2xf64, [-0.5714285714285714, -0.5714285714285714]>
// CHECK: snn.relu @h(%a, %b) coded (step = 0.2857142857142857) : !snn.signal<2, i3>
// CHECK: %c = snn.dense %h weights #snn.tensor<"c", 1x2xf32, [0.2857143, -0.2857143]>
// CHECK: snn.clip @s.positive(%c) with (low = 0.0, high = 1.0) coded (step = 0.14285714285714285) : !snn.signal<1, i3>
// CHECK: [[C:%c_?[0-9]+]] = snn.dense %h weights #snn.tensor<"c.2", 1x2xf32, [-0.2857143, 0.2857143]>
// CHECK: snn.relu @s.negative([[C]]) coded
// CHECK: snn.clip @y({{.*}} : !snn.signal<1, si16>
// CHECK: snn.output @label %y : !snn.signal<1, si16>
// COUNT: 3 bits of @h
// COUNT: 16 bits of @y
// COUNT: 2 lines that carry @s
// PAIR:  [[P:%z_?[0-9]+]] = snn.scale %z by 0.2857142857142857 bias
// PAIR:  snn.relu @z.positive([[P]]) coded (step = 0.2857142857142857) : !snn.signal<2, i3>
// PAIR:  [[N:%z_?[0-9]+]] = snn.scale %z by -0.2857142857142857 bias
// PAIR:  snn.relu @z.negative([[N]]) coded (step = 0.2857142857142857) : !snn.signal<2, i3>
// LINES: [[H:%h]] = snn.relu @h.high(%a, %b) coded (step = 0.5333333333333333, zero = 0.2) : !snn.signal<2, i2>
// LINES: [[D:%h_?[0-9]+]] = snn.scale [[H]] by -0.5333333333333333
// LINES: snn.relu @h.low(%a, %b, [[D]]) coded (step = 0.13333333333333333) : !snn.signal<2, i2>
// LINES: snn.clip @s.positive.high({{.*}} with (low = 0.0, high = 1.0)
// LINES: snn.clip @y({{.*}} : !snn.signal<1, si8>
// AGAIN: snn.relu @h({{.*}} : !snn.signal<2, i3>
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %z = snn.input @z : !snn.signal<2, f64>
    %a = snn.dense %x weights #snn.tensor<"a", 2x2xf32, [1.0, 0.0, 0.0, 2.0]> bias #snn.tensor<"a.bias", 2xf32, [0.0, -0.5]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %b = snn.scale %z by 0.5 : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %h = snn.relu @h(%a, %b) : !snn.signal<2, f64>
    %c = snn.dense %h weights #snn.tensor<"c", 1x2xf32, [1.0, -1.0]> : !snn.signal<2, f64> -> !snn.signal<1, f64>
    %s = snn.clip @s(%c) with (low = -1.0, high = 1.0) : !snn.signal<1, f64>
    %d = snn.scale %s by 2.0 : !snn.signal<1, f64> -> !snn.signal<1, f64>
    %y = snn.clip @y(%d) with (low = -100.0, high = 100.0) : !snn.signal<1, f64>
    snn.output @label %y : !snn.signal<1, f64>
  }
}
