// What the reference refuses when it loads a graph, from the shapes that the file itself declares.
#ifndef SAVEDMODEL_PASSES_DECLARED_SHAPES_H_
#define SAVEDMODEL_PASSES_DECLARED_SHAPES_H_

#include <vector>

#include "graph/graph.h"

namespace savedmodel {

// InvalidArgument where a node with wanted[id] can never pass the reference's shape inference although its kernel would take
// what it is fed: a vector where a scalar is declared, a size that is left open where it has to be known.
absl::Status CheckDeclaredShapes(const Graph& graph, const std::vector<char>& wanted);

}  // namespace savedmodel

#endif  // SAVEDMODEL_PASSES_DECLARED_SHAPES_H_
