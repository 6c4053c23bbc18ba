#include "loader/chunked.h"

#include <catch2/catch.hpp>

#include "chunked_writer.h"
#include "loader/brotli.h"
#include "loader/riegeli.h"
#include "loader/saved_model.h"
#include "savedmodel/meta_graph.pb.h"

namespace savedmodel {
namespace {

absl::Status Records(const std::string& bytes, std::vector<std::string>* records, uint64_t max_bytes = UINT64_MAX) {
  return ReadRiegeli(**MakeMemorySource({{"f", bytes}})->Open("f"), max_bytes, [&](uint64_t, std::string record) {
    records->push_back(std::move(record));
    return absl::OkStatus();
  });
}

absl::Status CodeOf(const std::string& bytes) {
  std::vector<std::string> records;
  return Records(bytes, &records);
}

TEST_CASE("riegeli: records of several chunks and blocks") {
  RiegeliWriter writer;
  std::vector<std::string> all;
  for (size_t size : {0, 1, 100, 65000, 500, 65536, 200000, 3}) {
    std::vector<std::string> some = {std::string(size, static_cast<char>('a' + all.size())), "small"};
    writer.Add(some);
    all.insert(all.end(), some.begin(), some.end());
  }
  const std::vector<std::string> many(100000, "");  // padding: each record has a number
  writer.Add(many);
  writer.Add({"last"});
  std::vector<std::string> read;
  REQUIRE(Records(writer.file(), &read).ok());
  REQUIRE(read.size() == all.size() + many.size() + 1);
  CHECK(std::equal(all.begin(), all.end(), read.begin()));
  CHECK(read.back() == "last");
  CHECK(absl::IsResourceExhausted(Records(writer.file(), &read, 1000)));
}

TEST_CASE("riegeli: other chunks are skipped or named") {
  RiegeliWriter writer;
  writer.AddChunk('p', std::string(70000, '\0'), 0, 0);
  writer.AddChunk('m', "metadata", 0, 8);
  writer.Add({"x"});
  std::vector<std::string> read;
  CHECK(Records(writer.file(), &read).ok());
  CHECK(read == std::vector<std::string>{"x"});
  writer.AddChunk('t', "transposed", 1, 10);
  CHECK(absl::IsUnimplemented(CodeOf(writer.file())));
  RiegeliWriter zstd;
  zstd.AddChunk('r', std::string("z\1\5\1", 4), 1, 1);
  CHECK(absl::IsUnimplemented(CodeOf(zstd.file())));
  RiegeliWriter unknown;
  unknown.AddChunk('r', std::string("q\1\5\1", 4), 1, 1);
  CHECK(absl::IsDataLoss(CodeOf(unknown.file())));
}

TEST_CASE("riegeli: Brotli, as the reference's writer has it") {
  const std::string sizes("\x0b\x01\x80\x05\x05\x05\x03", 7);  // 5 5 5
  const std::string values("\x1b\x0e\x00\xf8\x05\x6e\xc0\xc6\xda\xa8\x40\x27\x0a\x80\xed", 15);  // abcdeabcdeabcde
  RiegeliWriter writer;
  writer.AddChunk('r', std::string("b\x08\x03", 3) + sizes + "\x0f" + values, 3, 15);
  std::vector<std::string> read;
  const absl::Status status = Records(writer.file(), &read);
  std::string out;
  if (absl::IsUnimplemented(ExpandBrotli(sizes, 3, &out))) {
    CHECK(absl::IsUnimplemented(status));
    return;
  }
  CHECK(status.ok());
  CHECK(read == std::vector<std::string>(3, "abcde"));
  CHECK(absl::IsDataLoss(ExpandBrotli(values, 14, &out)));
  CHECK(absl::IsDataLoss(ExpandBrotli(values, 16, &out)));
  CHECK(absl::IsDataLoss(ExpandBrotli(values.substr(0, 9), 15, &out)));
  RiegeliWriter claims;  // more than the chunk's header says
  claims.AddChunk('r', std::string("b\x08\x03", 3) + sizes + "\xff\xff\xff\x7f" + values, 3, 15);
  CHECK(absl::IsDataLoss(CodeOf(claims.file())));
}

TEST_CASE("riegeli: damage is found wherever it is") {
  RiegeliWriter writer;
  writer.Add({std::string(300, 'x'), "yz"});
  const std::string good = writer.file();
  const size_t end_of_data = 64 + 40 + 1 + 1 + 3 + 302;
  for (size_t i = 24; i < end_of_data; ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    const absl::Status status = CodeOf(bad);
    CHECK((absl::IsDataLoss(status) || absl::IsOutOfRange(status)));
    std::vector<std::string> read;
    CHECK_FALSE((Records(good.substr(0, i), &read).ok() && !read.empty()));
  }
  CHECK(absl::IsDataLoss(CodeOf("")));
  CHECK_FALSE(CodeOf("short").ok());
  RiegeliWriter sizes;
  sizes.AddChunk('r', std::string("\0\3\xff\xff\xff", 5), 1, 10);
  CHECK(absl::IsDataLoss(CodeOf(sizes.file())));
  RiegeliWriter many;
  many.AddChunk('r', std::string("\0\1\1x", 4), uint64_t{1} << 55, 1);
  CHECK(absl::IsDataLoss(CodeOf(many.file())));
}

// A model with a large constant in a node of the graph and one in a function, and what it is in pieces.
proto::SavedModel WholeModel() {
  proto::SavedModel model;
  model.set_saved_model_schema_version(1);
  proto::MetaGraphDef* meta_graph = model.add_meta_graphs();
  meta_graph->mutable_meta_info_def()->add_tags("serve");
  for (int i = 0; i < 4; ++i) {
    proto::NodeDef* node = meta_graph->mutable_graph_def()->add_node();
    node->set_name(std::string("n") + static_cast<char>('0' + i));
    node->set_op("Const");
    (*node->mutable_attr())["value"].mutable_tensor()->set_tensor_content(std::string(1000, static_cast<char>('a' + i)));
  }
  proto::FunctionDef* function = meta_graph->mutable_graph_def()->mutable_library()->add_function();
  function->mutable_signature()->set_name("f");
  function->add_node_def()->set_name("inner");
  return model;
}

std::string InPieces(const proto::SavedModel& whole) {
  proto::SavedModel base = whole;
  proto::GraphDef* graph = base.mutable_meta_graphs(0)->mutable_graph_def();
  ChunkedWriter writer;
  const std::string content = (*graph->mutable_node(1)->mutable_attr())["value"].tensor().tensor_content();
  (*graph->mutable_node(1)->mutable_attr())["value"].mutable_tensor()->clear_tensor_content();
  proto::GraphDef more;  // the last two nodes, as further elements of a repeated field
  *more.add_node() = graph->node(2);
  *more.add_node() = graph->node(3);
  graph->mutable_node()->DeleteSubrange(2, 2);
  const std::string function = graph->library().function(0).SerializeAsString();
  graph->mutable_library()->mutable_function(0)->Clear();
  writer.metadata().mutable_message()->set_chunk_index(writer.Add(base.SerializeAsString()));
  const proto::FieldIndex meta_graphs = FieldNumber(2), first = ElementIndex(0), graph_def = FieldNumber(2);
  const uint64_t function_piece = writer.Add(function), more_piece = writer.Add(more.SerializeAsString()), content_piece = writer.Add(content);
  writer.Field(content_piece, {meta_graphs, first, graph_def, FieldNumber(1), ElementIndex(1), FieldNumber(5), MapKey("value"), FieldNumber(8), FieldNumber(4)});
  writer.Field(more_piece, {meta_graphs, first, graph_def});
  writer.Field(function_piece, {meta_graphs, first, graph_def, FieldNumber(2), FieldNumber(1), ElementIndex(0)});
  return writer.Finish();
}

TEST_CASE("chunked: a SavedModel in pieces is the model") {
  const proto::SavedModel whole = WholeModel();
  auto source = MakeMemorySource({{"saved_model.cpb", InPieces(whole)}});
  auto model = ReadSavedModel(*source);
  REQUIRE(model.ok());
  CHECK((*model)->meta_graphs(0).graph_def().node_size() == 4);
  for (int i = 0; i < 4; ++i) CHECK((*model)->meta_graphs(0).graph_def().node(i).SerializeAsString() == whole.meta_graphs(0).graph_def().node(i).SerializeAsString());
  CHECK((*model)->meta_graphs(0).graph_def().library().SerializeAsString() == whole.meta_graphs(0).graph_def().library().SerializeAsString());
}

absl::Status Merge(ChunkedWriter& writer) {
  proto::SavedModel model;
  return ReadChunkedMessage(*MakeMemorySource({{"m.cpb", writer.Finish()}}), "m.cpb", &model);
}

TEST_CASE("chunked: pieces that do not fit are refused") {
  {
    ChunkedWriter writer;
    writer.metadata().mutable_message()->set_chunk_index(3);
    CHECK(absl::IsDataLoss(Merge(writer)));
  }
  {
    ChunkedWriter writer;
    const uint64_t piece = writer.Add("");
    writer.Field(piece, {});
    writer.Field(piece, {});
    CHECK(absl::IsDataLoss(Merge(writer)));  // twice
  }
  const std::vector<std::vector<proto::FieldIndex>> wrong = {
      {ElementIndex(0)}, {MapKey("a")}, {FieldNumber(2)}, {FieldNumber(2), ElementIndex(1)}, {FieldNumber(2), ElementIndex(uint64_t{1} << 40)},
      {FieldNumber(2), MapKey("x")}, {FieldNumber(99)}, {FieldNumber(1)}, {FieldNumber(1), FieldNumber(1)}, {FieldNumber(0)}, {FieldNumber(UINT32_MAX)},
      {FieldNumber(2), ElementIndex(0), FieldNumber(5), FieldNumber(2)}, {FieldNumber(2), ElementIndex(0), FieldNumber(2), FieldNumber(1), ElementIndex(7)}};
  for (const auto& way : wrong) {
    ChunkedWriter writer;
    writer.Field(writer.Add(""), way);
    CHECK_FALSE(Merge(writer).ok());
  }
  {
    ChunkedWriter writer;
    writer.metadata().mutable_message()->set_chunk_index(writer.Add("\xff\xff\xff"));
    CHECK(absl::IsDataLoss(Merge(writer)));
  }
  {
    ChunkedWriter writer;
    writer.metadata().mutable_version()->set_join_version(1);
    CHECK(absl::IsUnimplemented(Merge(writer)));
  }
  {
    ChunkedWriter writer;
    writer.metadata().add_chunks()->set_offset(12345);
    CHECK(absl::IsDataLoss(Merge(writer)));
  }
}

}  // namespace
}  // namespace savedmodel
