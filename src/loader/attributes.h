// Attributes from their messages.
#ifndef SAVEDMODEL_LOADER_ATTRIBUTES_H_
#define SAVEDMODEL_LOADER_ATTRIBUTES_H_

#include <memory>

#include "google/protobuf/map.h"
#include "savedmodel/op.h"
#include "savedmodel/graph.pb.h"

namespace savedmodel {

using ProtoAttributes = google::protobuf::Map<std::string, proto::AttrValue>;

// All attributes of a node but the private ones ("_output_shapes" ...). A placeholder ("$T" of a polymorphic function)
// takes the value of `arguments`, tensors are taken from `allocator`. InvalidArgument for a tensor or shape that cannot be read.
absl::StatusOr<Attributes> ReadAttributes(const ProtoAttributes& message, const Attributes& arguments, Allocator* allocator);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_ATTRIBUTES_H_
