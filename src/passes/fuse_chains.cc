// Chains of elementwise functions become one _ElementwiseChain, for devices that have a kernel for it: a function and, behind
// it, all that only it and its like read, as long as shapes stay the same.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "core/status_macros.h"
#include "ops/math/elementwise_chain.h"
#include "passes/fusion.h"

namespace savedmodel {
namespace {

constexpr size_t kMostMembers = 16, kMostInputs = 8, kMostSteps = 40;
constexpr int kPlaces = 8, kMostRank = 8;

bool IsChainFloat(DataType type) { return type == DataType::kFloat || type == DataType::kHalf || type == DataType::kBFloat16; }

// The value of a constant of one element, in any of those dtypes.
bool OneNumber(const Output& value, float* number) {
  const Tensor* constant = ConstantOf(value);
  if (constant == nullptr || constant->num_elements() != 1 || constant->rank() > 1) return false;
  switch (constant->dtype()) {
    case DataType::kFloat: *number = constant->data<float>()[0]; return true;
    case DataType::kHalf: *number = static_cast<float>(constant->data<Half>()[0]); return true;
    case DataType::kBFloat16: *number = static_cast<float>(constant->data<BFloat16>()[0]); return true;
    default: return false;
  }
}

bool IsLink(const Node& node) {
  const int operands = ChainOperands(node.op());
  if (operands == 0 || static_cast<int>(node.inputs.size()) != operands || !node.error.ok() || !node.controls.empty() || node.num_outputs() != 1 ||
      !IsChainFloat(node.output_types[0]) || node.constant(0) != nullptr || absl::StrContains(node.device, "CPU")) {
    return false;
  }
  const PartialShape& shape = node.output_shapes[0];
  if (!shape.fully_known() || shape.rank() > kMostRank || shape.shape().num_elements() == 0) return false;
  bool varies = false;
  for (const Output& input : node.inputs) {
    float unused;
    varies = varies || !OneNumber(input, &unused);
    if (TypeOf(input) != node.output_types[0] || !ShapeOf(input).fully_known() || ShapeOf(input).rank() > shape.rank()) return false;
  }
  return varies;
}

class Chain {
 public:
  Chain(const Uses& uses, Node* root) : uses_(uses), root_(root), members_{root} {}

  // Takes in producers until there is none left that fits.
  void Grow() {
    for (bool grown = true; grown;) {
      grown = false;
      for (size_t i = 0; i < members_.size(); ++i) {
        for (const Output& input : members_[i]->inputs) {
          if (members_.size() >= kMostMembers || !Joins(input)) continue;
          members_.push_back(input.node);
          if (Inputs().size() > kMostInputs) {
            members_.pop_back();
          } else {
            grown = true;
          }
        }
      }
    }
  }

  size_t size() const { return members_.size(); }
  bool Has(const Node* node) const { return std::find(members_.begin(), members_.end(), node) != members_.end(); }

  // Values from outside, constants of one element left out.
  std::vector<Output> Inputs() const {
    std::vector<Output> inputs;
    float unused;
    for (const Node* member : members_) {
      for (const Output& input : member->inputs) {
        if (Has(input.node) || OneNumber(input, &unused) || std::find(inputs.begin(), inputs.end(), input) != inputs.end()) continue;
        inputs.push_back(input);
      }
    }
    return inputs;
  }

 private:
  bool Joins(const Output& value) const {
    const Node& node = *value.node;
    if (Has(&node) || !IsLink(node) || node.output_types[0] != root_->output_types[0] || node.output_shapes[0] != root_->output_shapes[0] ||
        node.device != root_->device) {
      return false;
    }
    const std::vector<Node*>& readers = uses_.Of(value);
    return std::all_of(readers.begin(), readers.end(), [&](const Node* reader) { return reader != nullptr && Has(reader); });
  }

  const Uses& uses_;
  Node* const root_;
  std::vector<const Node*> members_;  // the root first
};

ChainProgram ProgramOf(const std::vector<const Node*>& members, const std::vector<Output>& inputs) {
  ChainProgram program;
  program.inputs = static_cast<int>(inputs.size());
  for (const Node* member : members) {
    ChainProgram::Step step;
    step.op = member->op();
    if (member->Is("LeakyRelu")) step.value = member->attrs().Float("alpha");
    if (member->Is("Elu")) step.value = 1;
    for (size_t i = 0; i < member->inputs.size(); ++i) {
      int& operand = i == 0 ? step.left : step.right;
      const Output& input = member->inputs[i];
      auto inside = std::find(members.begin(), members.end(), input.node);
      auto outside = std::find(inputs.begin(), inputs.end(), input);
      if (inside != members.end()) {
        operand = program.inputs + static_cast<int>(inside - members.begin());
      } else if (outside != inputs.end()) {
        operand = static_cast<int>(outside - inputs.begin());
      } else {
        operand = ChainProgram::kValue;
        OneNumber(input, &step.value);
      }
    }
    program.steps.push_back(std::move(step));
  }
  return program;
}

absl::Status Fuse(Graph* graph, PassContext& context) {
  const std::shared_ptr<const OpInfo> info = context.catalog->Find("_ElementwiseChain");
  if (context.accelerator == nullptr || info->def == nullptr || context.accelerator->FindKernel(*info->def) == nullptr) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph->TopologicalOrder());
  const Uses uses(graph);
  absl::flat_hash_set<const Node*> gone;
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    Node* root = *it;
    if (gone.contains(root) || !IsLink(*root)) continue;
    Chain chain(uses, root);
    chain.Grow();
    if (chain.size() < 2) continue;
    std::vector<const Node*> members;
    for (const Node* node : order) {
      if (chain.Has(node)) members.push_back(node);
    }
    std::vector<Output> inputs = chain.Inputs();
    const ChainProgram program = ProgramOf(members, inputs);
    if (inputs.empty() || !PlaceChain(program, kPlaces, kMostSteps).ok()) continue;
    Attributes attributes;
    attributes.Set("T", root->output_types[0]);
    attributes.Set("num_args", static_cast<int64_t>(inputs.size()));
    WriteChain(program, &attributes);
    gone.insert(members.begin(), members.end());
    Become(context, root, "_ElementwiseChain", std::move(inputs), std::move(attributes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FuseChains(Graph* graph, PassContext& context) {
  return ForEachGraph(graph, [&](Graph* g) { return Fuse(g, context); });
}

}  // namespace savedmodel
