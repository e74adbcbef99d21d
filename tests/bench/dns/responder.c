/* The floor: recvfrom, the same answer for every question, sendto. No filter, no cache, no policy. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    static const char record[] = "\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\0\0\0"; /* A 0.0.0.0, TTL 10 s */
    static unsigned char packet[1500];
    int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 4 << 20;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    own.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (bind(fd, (struct sockaddr *)&own, sizeof own)) return 1;
    for (;;) {
        struct sockaddr_in sender;
        socklen_t room = sizeof sender;
        int size = recvfrom(fd, packet, sizeof packet - sizeof record, 0, (struct sockaddr *)&sender, &room);
        if (size < 17) continue;
        packet[2] |= 0x80, packet[3] = 0x80, packet[7] = 1;
        memcpy(packet + size, record, sizeof record);
        sendto(fd, packet, size + sizeof record, 0, (struct sockaddr *)&sender, room);
    }
}
