// Any bytes as saved_model.cpb. Fuzzers do not guess hashes, so the bytes are also taken for the contents of a file whose
// hashes are right: pairs of a length and a record, the last record being the one that tells where the others belong.
#include <string>

#include "chunked_writer.h"
#include "loader/chunked.h"
#include "savedmodel/meta_graph.pb.h"

namespace {

void Read(const std::string& file) {
  savedmodel::proto::SavedModel model;
  (void)savedmodel::ReadChunkedMessage(*savedmodel::MakeMemorySource({{"m.cpb", file}}), "m.cpb", &model);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Read(bytes);
  savedmodel::RiegeliWriter raw;
  raw.AddChunk('r', bytes, size > 0 ? data[0] : 0, size);
  Read(raw.file());
  savedmodel::ChunkedWriter writer;
  size_t at = 0;
  while (at < size && size - at > 1 + static_cast<size_t>(data[at])) {
    writer.Add(bytes.substr(at + 1, data[at]));
    at += 1 + data[at];
  }
  (void)writer.metadata().mutable_message()->ParseFromString(bytes.substr(at));
  Read(writer.Finish());
  return 0;
}
