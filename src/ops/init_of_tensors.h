// A KernelInit whose inputs are at hand, for running one op without a plan.
#ifndef SAVEDMODEL_OPS_INIT_OF_TENSORS_H_
#define SAVEDMODEL_OPS_INIT_OF_TENSORS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "savedmodel/op.h"

namespace savedmodel {

// All but constant(): whether the inputs count as known is the caller's to say. `Base` is KernelInit or a class of it; the arguments
// must outlive this object.
template <typename Base>
class InitOfTensors : public Base {
 public:
  InitOfTensors(const std::string& name, const Attributes& attrs, const std::vector<Tensor>& inputs, std::vector<DataType> outputs,
                SessionState& state, ThreadPool& pool)
      : name_(name), attrs_(attrs), inputs_(inputs), outputs_(std::move(outputs)), state_(state), pool_(pool) {
    for (const Tensor& t : inputs) shapes_.emplace_back(t.shape());
  }
  const std::string& node_name() const override { return name_; }
  const Attributes& attrs() const override { return attrs_; }
  int num_inputs() const override { return static_cast<int>(inputs_.size()); }
  int num_outputs() const override { return static_cast<int>(outputs_.size()); }
  DataType input_dtype(int i) const override { return inputs_[static_cast<size_t>(i)].dtype(); }
  DataType output_dtype(int i) const override { return outputs_[static_cast<size_t>(i)]; }
  const PartialShape& input_shape(int i) const override { return shapes_[static_cast<size_t>(i)]; }
  SessionState& state() const override { return state_; }
  ThreadPool& pool() const override { return pool_; }
  std::shared_ptr<const void> Shared(const Tensor&, absl::string_view, const std::function<std::shared_ptr<const void>()>& make) const override {
    return make();
  }

 protected:
  const std::vector<Tensor>& inputs() const { return inputs_; }

 private:
  const std::string& name_;
  const Attributes& attrs_;
  const std::vector<Tensor>& inputs_;
  std::vector<DataType> outputs_;
  std::vector<PartialShape> shapes_;
  SessionState& state_;
  ThreadPool& pool_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_INIT_OF_TENSORS_H_
