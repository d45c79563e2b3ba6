// RUN: snn-opt %s -p dataflow-bind --split-input-file | filecheck %s
// RUN: snn-opt %s -p 'dataflow-bind{algorithm=load-balance}' --split-input-file | filecheck %s --check-prefix=BALANCE
// RUN: snn-opt %s -p dataflow-bind,'dataflow-schedule{algorithm=critical}',dataflow-analyze-throughput --split-input-file | filecheck %s --check-prefix=GUARANTEE

// Two loops of two actors: apart, each round of a loop would cross twice, 7 units each time.
// CHECK:      actor task @a on @s time 5
// CHECK:      actor task @b on @s time 5
// CHECK:      actor task @c on @t time 5
// CHECK:      actor task @d on @t time 5
// CHECK-NOT:  connection_
// BALANCE:    actor task @a on @s time 5
// BALANCE:    actor task @b on @t time 5
// BALANCE:    actor task @connection_0 time 7
// GUARANTEE:  dataflow.graph @loops activity "worst" period 10
builtin.module {
  dataflow.architecture @two {
    dataflow.tile @s processor "p"
    dataflow.tile @t processor "p"
    dataflow.connection @there from @s to @t delay 7
    dataflow.connection @back from @t to @s delay 7
  }
  dataflow.graph @loops activity "worst" {
    %a = dataflow.actor task @a time 5 reads(%b[1] tokens 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor task @b time 5 reads(%a[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %c = dataflow.actor task @c time 5 reads(%d[1] tokens 1) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    %d = dataflow.actor task @d time 5 reads(%c[1]) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
  }
}

// -----

// The type of processor decides where an actor can run and how long it takes. Tokens of 10 bits at 4 bits a unit take 3
// units after a delay of 2, two of them one after the other; the channel has a buffer at each end.
// CHECK:      %[[x:.*]] = dataflow.actor task @fast on @d time 3 processors("dsp" 3, "arm" 9) makes(2)
// CHECK:      actor task @slow on @a time 4 {{.*}} reads(%[[way:.*]][2] capacity 6)
// CHECK:      %[[way]] = dataflow.actor task @connection_0 time 10 reads(%[[x]][2] capacity 4 name "c") makes(2)
// GUARANTEE:  dataflow.graph @types activity "worst" period 10
builtin.module {
  dataflow.architecture @types_of {
    dataflow.tile @d processor "dsp" output 4
    dataflow.tile @a processor "arm" input 5
    dataflow.connection @way from @d to @a delay 2
  }
  dataflow.graph @types activity "worst" {
    %x = dataflow.actor task @fast time 9 processors("arm" 9, "dsp" 3) makes(2) : () -> !dataflow.token<10>
    dataflow.actor task @slow time 4 processors("arm" 4) reads(%x[2] name "c" source 4 target 6 memory 2) : (!dataflow.token<10>) -> ()
  }
}
