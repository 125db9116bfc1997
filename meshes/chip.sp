* Netlist for VDD on default

* Resistive network
R0 ITermNode_met1_1000_60 Node_met1_1000_0 R=1.000000e-03
R1 Node_met1_0_0 Node_met1_1000_0 R=5.882353e-01
R2 Node_met1_1000_0 Node_met1_20000_0 R=1.117647e+01
R3 Node_met1_20000_0 Node_met1_40000_0 R=1.176471e+01
R4 Node_met1_20000_0 Node_met2_20000_0 R=5.000000e+00
R5 Node_met2_20000_0 Node_met2_20000_20000 R=2.083333e+00
R6 Node_met1_20000_20000 Node_met2_20000_20000 R=5.000000e+00
R7 Node_met1_0_20000 Node_met1_20000_20000 R=1.176471e+01
R8 Node_met1_20000_20000 Node_met1_39000_20000 R=1.117647e+01
R9 ITermNode_met1_39000_20060 Node_met1_39000_20000 R=1.000000e-03
R10 Node_met2_20000_20000 Node_met2_20000_40000 R=2.083333e+00

* Sinks
* Sink for _1_/VDD
I0 ITermNode_met1_1000_60 0 DC 2.000e-04
* Sink for _2_/VDD
I1 ITermNode_met1_39000_20060 0 DC 1.000e-04

* Sources
V0 Node_met2_20000_40000 0 DC 1.100000

* Footer
.OPTION NUMDGT=6
.OP
.END
