// Writes Riegeli files without compression, and messages in pieces.
#ifndef SAVEDMODEL_TESTS_LOADER_CHUNKED_WRITER_H_
#define SAVEDMODEL_TESTS_LOADER_CHUNKED_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "savedmodel/chunk.pb.h"

namespace savedmodel {

class RiegeliWriter {
 public:
  RiegeliWriter() { AddChunk('s', "", 0, 0); }
  // One chunk with these records; the position of the first is returned.
  uint64_t Add(const std::vector<std::string>& records);
  uint64_t AddChunk(char type, const std::string& data, uint64_t num_records, uint64_t decoded_size);
  const std::string& file() const { return file_; }

 private:
  std::string file_;
};

// The records of a message in pieces, and where they belong.
class ChunkedWriter {
 public:
  // Returns the piece's index.
  uint64_t Add(const std::string& bytes);
  proto::ChunkedField* Field(uint64_t piece, const std::vector<proto::FieldIndex>& way);
  proto::ChunkMetadata& metadata() { return metadata_; }
  std::string Finish();

 private:
  RiegeliWriter writer_;
  proto::ChunkMetadata metadata_;
};

proto::FieldIndex FieldNumber(uint32_t number);
proto::FieldIndex ElementIndex(uint64_t index);
proto::FieldIndex MapKey(const std::string& key);

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_LOADER_CHUNKED_WRITER_H_
