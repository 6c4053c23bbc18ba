#include "cli/output_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl.h"
#include "google/protobuf/text_format.h"

namespace savedmodel::cli {

absl::Status CheckOutputFile(const std::string& path, bool overwrite) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat(path, ": is there and no regular file, choose another name"));
  if (overwrite) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(path, ": exists, use --overwrite to replace it or choose another name"));
}

absl::Status WriteMessage(const std::string& path, const google::protobuf::Message& message, bool overwrite, int64_t* bytes) {
  SM_RETURN_IF_ERROR(CheckOutputFile(path, overwrite));
  const std::string partial = absl::StrCat(path, ".", getpid(), ".partial");
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  if (!out) return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be written: ", std::string(strerror(errno))));
  bool written;
  if (absl::EndsWith(path, ".pbtxt") || absl::EndsWith(path, ".prototxt") || absl::EndsWith(path, ".txt")) {
    google::protobuf::io::OstreamOutputStream stream(&out);
    written = google::protobuf::TextFormat::Print(message, &stream);
  } else {
    google::protobuf::io::OstreamOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // the same model gives the same file
    written = message.SerializeToCodedStream(&coded);
  }
  *bytes = static_cast<int64_t>(out.tellp());
  out.close();
  if (!written || !out || rename(partial.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(partial.c_str());
    return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be written", error == 0 ? "" : absl::StrCat(": ", std::string(strerror(error)))));
  }
  return absl::OkStatus();
}

std::string SizeText(int64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " bytes");
  const char* units[] = {"kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes) / 1000;
  int unit = 0;
  for (; size >= 999.95 && unit < 3; ++unit) size /= 1000;
  return absl::StrFormat("%.1f %s", size, units[unit]);
}

}  // namespace savedmodel::cli
