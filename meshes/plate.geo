// A plate with a round hole, in millimetres, half of it a second metal: gmsh -2 plate.geo -o plate.msh
SetFactory("OpenCASCADE");
length = 20; width = 10; radius = 2;

Rectangle(1) = {0, 0, 0, length / 2, width};
Rectangle(2) = {length / 2, 0, 0, length / 2, width};
Disk(3) = {length / 2, width / 2, 0, radius};
BooleanDifference(4) = { Surface{1}; Delete; }{ Surface{3}; };
BooleanDifference(5) = { Surface{2}; Delete; }{ Surface{3}; Delete; };
Coherence;

near = 1e-6;
source() = Curve In BoundingBox {-near, -near, -near, near, width + near, near};
drain() = Curve In BoundingBox {length - near, -near, -near, length + near, width + near, near};
rim() = Curve In BoundingBox {length / 2 - radius - near, width / 2 - radius - near, -near,
                              length / 2 + radius + near, width / 2 + radius + near, near};
edge() = Abs(CombinedBoundary { Surface{4, 5}; });
edge() -= source();
edge() -= drain();
edge() -= rim();

Physical Curve("source") = source();
Physical Curve("drain") = drain();
Physical Curve("hole") = rim();
Physical Curve("sides") = edge();
Physical Surface("copper") = {4};
Physical Surface("aluminium") = {5};

Mesh.MeshSizeMax = 1;
Mesh.MeshSizeFromCurvature = 24;
