#include <catch2/catch.hpp>

#include "op_case.h"

namespace savedmodel {
namespace {

using D = DataType;

// A table and the ops on it.
struct Tables {
  ResourceStore store;
  Tensor handle;
  D key, value;

  Tables(OpCase&& op, D key, D value) : key(key), value(value) {
    auto made = op.State(&store).Type("key_dtype", key).Type("value_dtype", value).Run();
    INFO(made.status().ToString());
    REQUIRE(made.ok());
    handle = (*made)[0];
  }
  absl::Status Put(Tensor keys, Tensor values, const char* op = "LookupTableInsertV2") {
    return OpCase(op).State(&store).Type("Tin", key).Type("Tout", value).In(handle).In(keys).In(values).Run().status();
  }
  absl::Status Remove(Tensor keys) { return OpCase("LookupTableRemoveV2").State(&store).Type("Tin", key).In(handle).In(keys).Run().status(); }
  int64_t Size() { return OpCase("LookupTableSizeV2").State(&store).In(handle).Run().value()[0].scalar<int64_t>(); }
};

struct Find : OpCase {
  Find(Tables& t, Tensor keys, Tensor defaults) : OpCase("LookupTableFindV2") {
    State(&t.store).Type("Tin", t.key).Type("Tout", t.value).In(t.handle).In(keys).In(defaults);
  }
};
struct Export : OpCase {
  explicit Export(Tables& t) : OpCase("LookupTableExportV2") { State(&t.store).Type("Tkeys", t.key).Type("Tvalues", t.value).In(t.handle); }
};

TEST_CASE("MutableHashTable inserts, removes, imports and exports") {
  Tables t(OpCase("MutableHashTableV2"), D::kString, D::kFloat);
  REQUIRE(t.Put(Strings({3}, {"a", "b", "a"}), Floats({3}, {1, 2, 3})).ok());
  Find(t, Strings({3}, {"a", "b", "c"}), Tensor::Scalar(-1.f)).Gives({Floats({3}, {3, 2, -1})});
  Find(t, Strings({2}, {"x", "b"}), Floats({2}, {8, 9})).Gives({Floats({2}, {8, 2})});
  REQUIRE(t.Remove(Strings({2}, {"a", "z"})).ok());
  CHECK(t.Size() == 1);
  REQUIRE(t.Put(Strings({1}, {"d"}), Floats({1}, {4})).ok());
  Find(t, Strings({2}, {"b", "d"}), Tensor::Scalar(-1.f)).Gives({Floats({2}, {2, 4})});
  REQUIRE(t.Put(Strings({1}, {"e"}), Floats({1}, {5}), "LookupTableImportV2").ok());
  Export(t).Gives({Strings({1}, {"e"}), Floats({1}, {5})});
  CHECK(t.Put(Strings({2}, {"a", "b"}), Floats({1}, {1})).code() == absl::StatusCode::kInvalidArgument);
  CHECK(t.Put(Strings({0}, {}), Floats({0}, {})).ok());
  CHECK(t.Remove(Tensor::Scalar("no such key")).ok());  // a scalar key will do where no shape is declared
}

TEST_CASE("MutableHashTableOfTensors keeps vectors") {
  Tables t(std::move(OpCase("AnonymousMutableHashTableOfTensors").Attr("value_shape", PartialShape::Of({2}))), D::kInt64, D::kInt32);
  REQUIRE(t.Put(Int64s({2}, {-5, 7}), Int32s({2, 2}, {1, 2, 3, 4})).ok());
  Find(t, Int64s({1, 2}, {7, 8}), Int32s({2}, {0, 9})).Gives({Int32s({1, 2, 2}, {3, 4, 0, 9})});
  Find(t, Int64s({2}, {6, -5}), Int32s({2, 2}, {5, 6, 7, 8})).Gives({Int32s({2, 2}, {5, 6, 1, 2})});
  Find(t, Int64s({1}, {7}), Tensor::Scalar<int32_t>(0)).Refuses(absl::StatusCode::kInvalidArgument);
  OpCase("MutableHashTableOfTensorsV2")
      .Type("key_dtype", D::kInt64)
      .Type("value_dtype", D::kInt32)
      .Refuses(absl::StatusCode::kInvalidArgument, "must be a vector");
  CHECK(OpCase("InitializeTableV2")
            .Type("Tkey", D::kInt64)
            .Type("Tval", D::kInt32)
            .In(t.handle)
            .In(Int64s({1}, {1}))
            .In(Int32s({1}, {1}))
            .Run()
            .status()
            .code() == absl::StatusCode::kInvalidArgument);
}

struct Dense : OpCase {
  Dense(Tensor empty, Tensor deleted, int64_t buckets = 4) : OpCase("MutableDenseHashTableV2") {
    Int("initial_num_buckets", buckets).In(empty).In(deleted);
  }
};

TEST_CASE("MutableDenseHashTable grows, removes and exports its buckets") {
  Tables t(Dense(Tensor::Scalar<int64_t>(0), Tensor::Scalar<int64_t>(-1)), D::kInt64, D::kInt64);
  REQUIRE(t.Put(Int64s({3}, {11, 12, 13}), Int64s({3}, {0, 1, 2})).ok());
  Find(t, Int64s({3}, {11, 12, 15}), Tensor::Scalar<int64_t>(-1)).Gives({Int64s({3}, {0, 1, -1})});
  REQUIRE(t.Remove(Int64s({2}, {12, 15})).ok());
  CHECK(t.Size() == 2);
  Export(t).Gives({Int64s({4, 1}, {-1, 13, 0, 11}), Int64s({4, 1}, {1, 2, 0, 0})});
  REQUIRE(t.Put(Int64s({4}, {1, 2, 3, 4}), Int64s({4}, {5, 6, 7, 8})).ok());
  CHECK(t.Size() == 6);
  Find(t, Int64s({3}, {13, 4, 12}), Tensor::Scalar<int64_t>(-1)).Gives({Int64s({3}, {2, 8, -1})});
  Find(t, Int64s({1}, {0}), Tensor::Scalar<int64_t>(-1)).Refuses(absl::StatusCode::kInvalidArgument, "empty_key");
  CHECK(t.Put(Int64s({1}, {-1}), Int64s({1}, {0})).code() == absl::StatusCode::kInvalidArgument);
  REQUIRE(t.Put(Int64s({4, 1}, {0, 9, 0, -1}), Int64s({4, 1}, {0, 4, 0, 0}), "LookupTableImportV2").ok());
  Find(t, Int64s({1}, {9}), Tensor::Scalar<int64_t>(-1)).Gives({Int64s({1}, {4})});
  CHECK(t.Put(Int64s({0, 1}, {}), Int64s({0, 1}, {}), "LookupTableImportV2").code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("MutableDenseHashTable has keys that are vectors") {
  Tables t(std::move(Dense(Strings({2}, {"", ""}), Strings({2}, {"-", "-"})).Attr("value_shape", PartialShape::Of({2}))), D::kString, D::kFloat);
  REQUIRE(t.Put(Strings({2, 2}, {"a", "b", "b", "a"}), Floats({2, 2}, {1, 2, 3, 4})).ok());
  Find(t, Strings({3, 2}, {"b", "a", "a", "a", "a", "b"}), Floats({2}, {8, 9})).Gives({Floats({3, 2}, {3, 4, 8, 9, 1, 2})});
  Find(t, Strings({2}, {"b", "a"}), Floats({2}, {8, 9})).Refuses(absl::StatusCode::kInvalidArgument, "Expected key shape");
}

TEST_CASE("MutableDenseHashTable refuses bad options") {
  const auto refuse = [](OpCase&& c, const char* text) {
    c.Type("key_dtype", D::kInt64).Type("value_dtype", D::kInt64).Refuses(absl::StatusCode::kInvalidArgument, text);
  };
  refuse(Dense(Tensor::Scalar<int64_t>(0), Tensor::Scalar<int64_t>(0)), "cannot be equal");
  refuse(Dense(Tensor::Scalar<int64_t>(0), Int64s({1}, {1})), "same shape");
  refuse(Dense(Tensor::Scalar<int64_t>(0), Tensor::Scalar<int64_t>(1), 12), "power of 2");
  refuse(std::move(Dense(Tensor::Scalar<int64_t>(0), Tensor::Scalar<int64_t>(1)).Float("max_load_factor", 1.5f)), "between 0 and 1");
}

}  // namespace
}  // namespace savedmodel
