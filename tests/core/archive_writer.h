// Writes small archives by hand, so that tests have hostile ones too.
#ifndef SAVEDMODEL_TESTS_CORE_ARCHIVE_WRITER_H_
#define SAVEDMODEL_TESTS_CORE_ARCHIVE_WRITER_H_

#include <string>
#include <vector>

namespace savedmodel {

struct ArchiveEntry {
  std::string name, content;
  char kind = '0';   // of tar: '0' a file, '1' a hard link, '2' a symbolic link, '5' a folder
  std::string link;  // what a link points to
};

std::string WriteTar(const std::vector<ArchiveEntry>& entries);
std::string WriteZip(const std::vector<ArchiveEntry>& entries);  // files alone, not compressed
std::string Gzip(const std::string& bytes);

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_CORE_ARCHIVE_WRITER_H_
