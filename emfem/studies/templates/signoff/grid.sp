* A power grid of two layers, coordinates in micrometres: stripes along x in layer 1, along y in layer 2.
* Wires of 1 um x 0.2 um at 20 nOhm m have 0.1 Ohm a micrometre.
* layer 1
R1 n1_0_0   n1_20_0   2
R2 n1_20_0  n1_40_0   2
R3 n1_0_20  n1_20_20  2
R4 n1_20_20 n1_40_20  2
* layer 2
R5 n2_0_0   n2_0_20   2
R6 n2_40_0  n2_40_20  2
* vias: resistors, and one short
RV1 n1_0_0   n2_0_0   500m
RV2 n1_0_20  n2_0_20  0.5
RV3 n1_40_0  n2_40_0  0.5
V4  n1_40_20 n2_40_20 0
* the pad, behind the resistance of the package
RP  n2_0_0 _X_n2_0_0  0.25
VDD _X_n2_0_0 0 1.0
* loads
I1 n1_20_0  0 200u
I2 n1_20_20 0 0.4mA
.op
.end
