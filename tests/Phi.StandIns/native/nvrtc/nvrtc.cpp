// Stand-in for NVRTC (docs.nvidia.com/cuda/nvrtc): "compiles" CUDA C for the CPU with g++, against ../device. The image it returns names
// the built library; the stand-in for the driver loads it. STAND_IN_NATIVE is the folder of the headers, STAND_IN_KERNELS where libraries go.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "../cuda/kernel.h"

#define EXPORT extern "C" __attribute__((visibility("default"))) int

namespace {

enum Result { Success = 0, InvalidProgram = 4, InvalidOption = 5, Compilation = 6, InternalError = 11 };

struct Program {
    std::string source, name, log, image;
};

std::atomic<int> compilations{0};

// Alignment and bounds are checked: a GPU faults on a misaligned vector access, a CPU does not.
const char* const Flags = "-std=c++17 -O1 -ffp-contract=off -fno-strict-aliasing -fwrapv -fPIC -shared -fvisibility=hidden -fsanitize=alignment,bounds -fsanitize-undefined-trap-on-error -U_FORTIFY_SOURCE -w";

std::string Quoted(const std::string& text) {
    std::string quoted = "'";
    for (char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

bool Run(const std::string& command, std::string& output) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return false;
    char buffer[4096];
    for (size_t read; (read = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, read);
    return pclose(pipe) == 0;
}

std::string Digest(const std::string& text) {
    uint64_t first = 14695981039346656037ull, second = 1469598103934665603ull;
    for (unsigned char c : text) {
        first = (first ^ c) * 1099511628211ull;
        second = (second + c) * 6364136223846793005ull + 1442695040888963407ull;
    }
    char hex[33];
    std::snprintf(hex, sizeof(hex), "%016llx%016llx", static_cast<unsigned long long>(first), static_cast<unsigned long long>(second));
    return hex;
}

const std::string Mark = "STAND_IN_GLOBAL";

// The mark, which __global__ became, survives the preprocessor, so kernels that macros write are found too. Takes the marks out.
std::set<std::string> TakeKernels(std::string& preprocessed) {
    std::set<std::string> names;
    for (size_t at = 0; (at = preprocessed.find(Mark, at)) != std::string::npos;) {
        preprocessed.erase(at, Mark.size());
        size_t end = preprocessed.find('(', at);
        while (end != std::string::npos && end > at && std::isspace(static_cast<unsigned char>(preprocessed[end - 1]))) end--;
        if (end == std::string::npos) continue;
        size_t start = end;
        while (start > at && (std::isalnum(static_cast<unsigned char>(preprocessed[start - 1])) || preprocessed[start - 1] == '_')) start--;
        names.insert(preprocessed.substr(start, end - start));
    }
    return names;
}

bool Exists(const std::string& path) {
    struct stat about;
    return stat(path.c_str(), &about) == 0;
}

// Options of NVRTC to g++'s; false where NVRTC would not know one.
bool Translate(int count, const char* const* options, std::string& flags, std::string& log) {
    static const std::set<std::string> known = {"--fmad=false", "--prec-div=true", "--prec-sqrt=true", "--ftz=false", "--std=c++17"};
    for (int i = 0; i < count; i++) {
        std::string option = options[i];
        if (option.rfind("-D", 0) == 0 || option.rfind("--define-macro=", 0) == 0) {
            flags += " " + Quoted("-D" + option.substr(option[1] == 'D' ? 2 : 15));
        } else if (option.rfind("--gpu-architecture=sm_", 0) != 0 && known.count(option) == 0) {
            log = "nvrtc: error: unrecognized option " + option + " found\n";
            return false;
        }
    }
    return true;
}

int Compile(Program& program, const std::string& flags) {
    const std::string folder = STAND_IN_KERNELS;
    mkdir(folder.c_str(), 0777);
    static std::atomic<int> sequence{0};
    const std::string own = folder + "/" + std::to_string(getpid()) + "-" + std::to_string(sequence++);
    std::ofstream(own + ".cu") << "#line 1 \"" << program.name << "\"\n" << program.source;
    std::string text;
    // From standard input, so that no name of a temporary file is in what is digested below.
    bool done = Run("g++ -E -std=c++17 -x c++ -D__global__=" + Mark + " -include " + Quoted(STAND_IN_NATIVE "/device/device.h") + flags + " - < " + Quoted(own + ".cu"), text);
    std::remove((own + ".cu").c_str());
    if (!done) {
        program.log = text;
        return Compilation;
    }
    auto kernels = TakeKernels(text);
    std::ostringstream whole;
    whole << text << "\n# 1 \"trampolines\"\n";
    for (auto& name : kernels) {
        whole << "extern \"C\" __attribute__((visibility(\"default\"))) StandInKernel stand_in_kernel_" << name << ";\n"
              << "StandInKernel stand_in_kernel_" << name << " = standin::Describe<" << name << ">();\n";
    }
    const std::string library = folder + "/" + Digest(whole.str() + Flags) + ".so";
    if (!Exists(library)) {
        std::ofstream(own + ".ii") << whole.str();
        done = Run(std::string("g++ -x c++-cpp-output ") + Flags + " -o " + Quoted(own + ".so") + " " + Quoted(own + ".ii"), program.log);
        std::remove((own + ".ii").c_str());
        if (!done) return Compilation;
        std::rename((own + ".so").c_str(), library.c_str());
    }
    program.image = STAND_IN_IMAGE + library;
    return Success;
}

}

// Compilations asked for so far.
EXPORT standInNvrtcCompilations() { return compilations; }

EXPORT nvrtcVersion(int* major, int* minor) { *major = 12; *minor = 0; return Success; }

extern "C" __attribute__((visibility("default"))) const char* nvrtcGetErrorString(int result) {
    switch (result) {
        case Success: return "NVRTC_SUCCESS";
        case InvalidProgram: return "NVRTC_ERROR_INVALID_PROGRAM";
        case InvalidOption: return "NVRTC_ERROR_INVALID_OPTION";
        case Compilation: return "NVRTC_ERROR_COMPILATION";
        default: return "NVRTC_ERROR_INTERNAL_ERROR";
    }
}

EXPORT nvrtcCreateProgram(void** program, const char* source, const char* name, int, const char* const*, const char* const*) {
    *program = new Program{source, name == nullptr ? "default_program" : name, "", ""};
    return Success;
}

EXPORT nvrtcDestroyProgram(void** program) {
    delete static_cast<Program*>(*program);
    *program = nullptr;
    return Success;
}

EXPORT nvrtcCompileProgram(void* handle, int count, const char* const* options) {
    auto& program = *static_cast<Program*>(handle);
    compilations++;
    std::string flags;
    return Translate(count, options, flags, program.log) ? Compile(program, flags) : InvalidOption;
}

EXPORT nvrtcGetProgramLogSize(void* program, size_t* size) { *size = static_cast<Program*>(program)->log.size() + 1; return Success; }

EXPORT nvrtcGetProgramLog(void* program, char* log) { std::strcpy(log, static_cast<Program*>(program)->log.c_str()); return Success; }

EXPORT nvrtcGetCUBINSize(void* program, size_t* size) {
    auto& image = static_cast<Program*>(program)->image;
    *size = image.empty() ? 0 : image.size() + 1;
    return image.empty() ? InvalidProgram : Success;
}

EXPORT nvrtcGetCUBIN(void* program, char* image) { std::strcpy(image, static_cast<Program*>(program)->image.c_str()); return Success; }
