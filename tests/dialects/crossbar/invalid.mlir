// RUN: snn-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: error: crossbar.machine: dt must be a positive number of seconds, not 0
crossbar.machine @m dt 0.0 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: an inference takes at least one step
crossbar.machine @m dt 0.001 steps 0 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: latency is a time, at least 0
crossbar.machine @m dt 0.001 period 1 latency -1 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: two parts of the machine are called @x
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @x size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: two parts of the machine are called @x
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @x neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@x]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: two parts of the machine are called @s
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @s of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: two parts of the machine are called @c0
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.crossbar @c0 at [1, 0] crossbar 0 cells #snn.tensor<"c", 1x1xi8, [0]> {
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @x has 0 neurons
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 0
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: output @y reads no population of the machine
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @q
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @c0: axons of @z, which the machine does not have
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @z[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @c0: axons of @x, which has 2 neurons
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[1:3]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s holds neurons that @q does not have
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @q[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s holds neurons that @p does not have
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[1:3] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: neuron 1 of @p is in 0 slices instead of one
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: neuron 0 of @p is in 2 slices instead of one
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @t neurons @p[0:2] rows [0:2] column 2 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@t, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s adds @z, which is no partial slice
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [@z] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s adds @s, which is no partial slice
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [@s] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s adds @t, which has other neurons
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @t partial @p[1, 0] rows [0:2] column 2
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [@t] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@t, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @t is added by @s and by @s
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @t partial @p[0:2] rows [0:2] column 2
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [@t, @t] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@t, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the partial sums of @t are not added anywhere
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @t partial @p[0:2] rows [0:2] column 2
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@t, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the channel from @y to @s has no such ends
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @y to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the channel from @s to @x has no such ends
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @x delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.channel: a channel holds more tokens than its delay, which is not negative
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 0
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.channel: a channel holds more tokens than its delay, which is not negative
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay -1 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: a flow starts at @y, which sends nothing
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @y to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the flow from @x has a number; what it carries is named
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  "crossbar.flow"() <{source = @x, route = #cluster.route<1 to tile [0, 0]>}> : () -> ()
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the flow from @x ends at a tile that the machine does not have
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2), buffers(events = 64), time(unit = "ns", read = 10)>} {
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0], tile [2, 0]
  crossbar.flow @s to host
}
}

// -----

// CHECK: error: crossbar.machine: a peak is given for @y, which sends nothing
crossbar.machine @m dt 0.001 peaks {y = 1} {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the peak of @x is a number of spikes, 0 or more
crossbar.machine @m dt 0.001 peaks {x = -1} {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: the peak of @s is a number of spikes, 0 or more
crossbar.machine @m dt 0.001 peaks_in {s = "many"} {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @c1 and @c0 are on the same crossbar
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.crossbar @c1 at [0, 0] crossbar 0 cells #snn.tensor<"c", 1x1xi8, [0]> {
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @c0 is placed on a crossbar that the machine does not have
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2), buffers(events = 64), time(unit = "ns", read = 10)>} {
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [2, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}
}

// -----

// CHECK: error: crossbar.machine: @c0 has 2 rows and 4 columns, a crossbar has 2 rows and 2 columns
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2), buffers(events = 64), time(unit = "ns", read = 10)>} {
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}
}

// -----

// CHECK: error: crossbar.crossbar: @c0: cells of shape (2, 2) for 3 rows, 2 columns
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.axons @p[0] delay 1
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: cells of shape (2, 2) for 2 rows, 3 columns
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 1 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: cells of shape (4,) for 2 rows, 2 columns
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 4xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: a cell is not finite
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xf32, "0x0000C07F000000000000000000000000"> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: the order does not list each of its slices once
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order []
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: the order does not list each of its slices once
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @s uses a row that has no axon
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [1:3] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: two slices use the same column
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @t partial @p[0:2] rows [0:2] column 1
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@t, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: the partial sums that it adds are named, not counted
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    "crossbar.slice"() <{sym_name = "s", part = #cluster.slice<neurons @p[0:2] rows [0:2] column 0 adds 1>, adds = []}> : () -> ()
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: neurons have a model, constants and semantics, partial sums none of them
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: neurons have a model, constants and semantics, partial sums none of them
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s partial @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @t: a partial sum adds no other partial sums
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x4xi8, [1, 0, 0, 1, 1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @t partial @p[0:2] rows [0:2] column 2 adds [@t]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@t, @s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: no neuron model 'hh'
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    "crossbar.slice"() <{sym_name = "s", part = #cluster.slice<neurons @p[0:2] rows [0:2] column 0>, adds = [], model = "hh", coefficients = {}, semantics = #snn.semantics<nir>}> : () -> ()
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: a machine cannot do spikes = 3, refractory = 2
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    "crossbar.slice"() <{sym_name = "s", part = #cluster.slice<neurons @p[0:2] rows [0:2] column 0>, adds = [], model = "if", coefficients = {}, semantics = #snn.semantics<nir, reset = subtract, spikes = 3, refractory = 2>}> : () -> ()
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: if holds scale, bias, decay, gain, drift, threshold, v_reset
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: bias is a number (f64) or a tensor
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    "crossbar.slice"() <{sym_name = "s", part = #cluster.slice<neurons @p[0:2] rows [0:2] column 0>, adds = [], model = "if", coefficients = {scale = 1.0 : f64, bias = 1.0 : f32, decay = 1.0 : f64, gain = 1.0 : f64, drift = 0.0 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64}, semantics = #snn.semantics<nir>}> : () -> ()
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: bias has 1 entries for 2 neurons
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = #snn.tensor<"b", 1xf64, [0.0]>, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: bias is not finite
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2
  crossbar.population @p size 2
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = #snn.tensor<"b", 2xf64, "0x0000000000000000000000000000F87F">, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: slices that are read several times, and only these, meet(lines, origins, offsets)
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: slices that are read several times, and only these, meet(lines, origins, offsets)
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: slices that are read several times, and only these, meet(lines, origins, offsets)
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 3x4xi8, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]> {
    crossbar.axons @x[0:3]
    crossbar.slice @s neurons @p[0:4] rows [0:3] column 0 meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: there is one origin per read, and one offset per row of the kernel
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 3xi32, [0, 1, 1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: there is one origin per read, and one offset per row of the kernel
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>, offsets = #snn.tensor<"f", 1xi32, [0]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: origins and offsets lead out of the lines
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 2]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: origins and offsets lead out of the lines
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, -1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: its windows meet axons that it does not read
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 3]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0: cells of shape (1, 2) for 2 rows, 2 columns
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 3
  crossbar.population @p size 4
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 1x2xi8, [1, 2]> {
    crossbar.axons @x[0:3] windowed
    crossbar.slice @s neurons @p[0:4] rows [0:2] column 0 reads 2 kernel [0:2] windows [0:3] meets(lines = #snn.tensor<"l", 3xi32, [0, 1, 2]>, origins = #snn.tensor<"o", 2xi32, [0, 1]>, offsets = #snn.tensor<"f", 2xi32, [0, 1]>) if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s: its codes leave the range of @p
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i5 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @s: if does not emit what @p does
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir>
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @c0: rows take no codes below 0, as of @x
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of si6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: a step must be positive
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.0, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.input: codes, and nothing else, are coded (step = ...)
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.population: codes have 1 to 16 bits, not i17
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i17 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.slice: @s: clip holds scale, bias, step, zero, least, most
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.machine: @c0: codes of 6 bits, a row takes 5
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 2, columns = 2, weight_bits = 8, models = ["if", "clip"], signal_bits = 5), buffers(events = 256), time(unit = "ns", read = 10)>} {
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}
}

// -----

// CHECK: error: crossbar.machine: @c0 has 2 rows and 2 columns, a crossbar has 2 rows and 1 columns
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 2, columns = 2, weight_bits = 8, models = ["if", "clip"], signal_bits = 6, signs = "pair"), buffers(events = 256), time(unit = "ns", read = 10)>} {
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    crossbar.slice @s neurons @p[0:2] rows [0:2] column 0 adds [] clip(scale = 0.5, bias = 0.0, step = 0.5, zero = 0.0, least = 0.0, most = 63.0)
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}
}

// -----

// CHECK: error: crossbar.slice: @s: what has no state has no semantics
crossbar.machine @m dt 0.001 {
  crossbar.input @x size 2 of i6 coded (step = 0.5)
  crossbar.population @p size 2 of i6 coded (step = 0.5)
  crossbar.output @y of @p
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 2, 3, 4]> {
    crossbar.axons @x[0:2]
    "crossbar.slice"() <{sym_name = "s", part = #cluster.slice<neurons @p[0:2] rows [0:2] column 0>, adds = [], model = "clip", coefficients = {scale = 1.0 : f64, bias = 1.0 : f64, step = 1.0 : f64, zero = 0.0 : f64, least = 0.0 : f64, most = 1.0 : f64}, semantics = #snn.semantics<nir>}> : () -> ()
    crossbar.order [@s]
  }
  crossbar.channel @x to @s delay 0 capacity 2
  crossbar.channel @s to @y delay 0 capacity 2
  crossbar.flow @x to tile [0, 0]
  crossbar.flow @s to host
}

// -----

// CHECK: error: crossbar.crossbar: @c0 reserves entries of a delay memory, and reads nothing late
crossbar.crossbar @c0 at [0, 0] crossbar 0 delays(entries = 5, bound = 6) cells #snn.tensor<"c0.cells", 1x1xi8, [0]> {
  crossbar.axons @x[0]
}

// -----

// CHECK: error: 1 to 6 entries are reserved, as more are never in use, not 7
crossbar.crossbar @c0 at [0, 0] crossbar 0 delays(entries = 7, bound = 6) cells #snn.tensor<"c0.cells", 1x1xi8, [0]> {
  crossbar.axons @x[0] delay 1
}
