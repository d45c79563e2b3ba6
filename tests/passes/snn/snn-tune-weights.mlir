// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=6},snn-tune-weights{data=%S/inputs/values.npz bits=4}" | filecheck %s
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=6},snn-tune-weights{data=%S/inputs/values.npz bits=4}" --statistics 2>&1 | filecheck %s --check-prefix=COUNT
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=6},snn-tune-weights{data=%S/inputs/values.npz bits=4},snn-tune-weights{data=%S/inputs/values.npz bits=4}" | filecheck %s
// RUN: snn-opt %s -p "snn-code-signals{data=%S/inputs/values.npz bits=6},snn-tune-weights{data=%S/inputs/values.npz bits=8 budget=20.0}" --statistics 2>&1 | filecheck %s --check-prefix=BUDGET

// What a population sums shares its scales; the negative of a projection has the negative integers.
// CHECK: snn.dense %x weights #snn.tensor<"a", 2x2xi8, [7, 0, 0, 7]> bias #snn.tensor<"a.bias", 2xf64, {{.*}} scale #snn.tensor<"a.scale", 2xf64, {{\[}}[[SCALE:0.00255[0-9]*, 0.0051[0-9]*]]{{\]}}>
// CHECK: snn.scale %z by #snn.tensor<"h.weight", 2xi8, [6, 3]> {{.*}} scale #snn.tensor<"h.weight.scale", 2xf64, {{\[}}[[SCALE]]{{\]}}>
// CHECK: snn.relu @h
// CHECK: snn.dense %h weights #snn.tensor<"c", 1x2xi8, [7, -7]> {{.*}} scale [[SAME:0.0044[0-9]*]] :
// CHECK: snn.clip @s.positive
// CHECK: snn.dense %h weights #snn.tensor<"c.2", 1x2xi8, [-7, 7]> {{.*}} scale [[SAME]] :
// CHECK: snn.relu @s.negative
// CHECK: snn.scale %s by #snn.tensor<"y.weight", 1xi8, [7]>
// CHECK: snn.scale %s_1 by #snn.tensor<"y.weight1", 1xi8, [-5]>
// COUNT:      snn-tune-weights:
// COUNT-NEXT: 39{{[0-9]+}} SQNR of @h, hundredths of a decibel
// COUNT:      4 bits of @h
// COUNT:      4 bits of @s.negative
// BUDGET:     snn-tune-weights:
// BUDGET:     {{[2-6][0-9]+}} SQNR of the outputs, hundredths of a decibel
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
