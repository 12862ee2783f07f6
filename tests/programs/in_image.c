/* The only program of a test's image: linked statically, as there is no library beside it.
 * Says who and where it is, lists folders, shows and writes files. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

static int compare(const void* a, const void* b) {
    return strcmp(*(char* const*)a, *(char* const*)b);
}

static void list(const char* path) {
    char* names[256];
    int count = 0;
    DIR* folder = opendir(path);
    if (folder == NULL) {
        printf("%s: none\n", path);
        return;
    }
    for (struct dirent* entry; count < 256 && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, (size_t)count, sizeof names[0], compare);
    printf("%s:", path);
    for (int i = 0; i < count; ++i)
        printf(" %s", names[i]);
    printf("\n");
}

static void show(const char* path) {
    char text[4096];
    struct stat status;
    FILE* file = fopen(path, "r");
    if (file == NULL || lstat(path, &status) != 0) {
        printf("%s: none\n", path);
        return;
    }
    const size_t size = fread(text, 1, sizeof text, file);
    printf("%s %o %d:%d %.*s\n", path, status.st_mode & 07777u, (int)status.st_uid,
           (int)status.st_gid, (int)size, text);
    fclose(file);
}

static void write_file(const char* path) {
    FILE* file = fopen(path, "w");
    if (file == NULL || fprintf(file, "written\n") < 0 || fclose(file) != 0)
        printf("%s cannot be written\n", path);
}

int main(int count, char** arguments) {
    char folder[4096];
    printf("uid %d euid %d gid %d in %s\n", (int)getuid(), (int)geteuid(), (int)getgid(),
           getcwd(folder, sizeof folder));
    for (int i = 1; i < count; ++i) {
        const char* rest = arguments[i] + 1;
        switch (arguments[i][0]) {
            case 'l':
                list(rest);
                break;
            case 's':
                show(rest);
                break;
            case 'w':
                write_file(rest);
                break;
            case 'e':
                for (char** variable = environ; *variable != NULL; ++variable)
                    puts(*variable);
                break;
            case 'x':
                return atoi(rest);
        }
    }
    return 0;
}
